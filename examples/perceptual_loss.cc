// A perceptual loss and its gradient, as training code and style transfer use them: changes a picture until
// VGG-19 sees the same in it as in another.
//
//     vgg19-example-perceptual-loss MODEL TARGET START STEPS
//
// TARGET and START are pictures. Prints the loss before each step of gradient descent (Adam) on START's
// pixels. The model may be one of features alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>
#include <vgg19/vgg19.hpp>

namespace {

/// Σ over layers of weight · mean |features − the target's features| (Johnson, Alahi and Fei-Fei 2016).
class PerceptualLoss {
  public:
    explicit PerceptualLoss(const vgg19::Model& model)
        : session_(model, {.outputs = {"relu1_2", "relu2_2", "relu3_4", "relu4_4"}, .gradients = true}) {
        for (const vgg19::Output& output : session_.outputs()) {
            features_.emplace_back(output.size());
            gradients_.emplace_back(output.size());
        }
        // The session reads and writes the vectors' memory, which stays where it is.
        outputs_.assign(features_.begin(), features_.end());
        output_gradients_.assign(gradients_.begin(), gradients_.end());
    }

    vgg19::Session& session() { return session_; }

    void set_target(std::span<const float> picture) {
        session_.run(picture, outputs_);
        target_ = features_;
    }

    /// The loss of a picture, and its gradient with respect to that picture.
    double operator()(std::span<const float> picture, std::span<float> gradient) {
        session_.run(picture, outputs_);
        double loss = 0;
        for (std::size_t i = 0; i < features_.size(); ++i) {
            loss += vgg19::l1_loss(features_[i], target_[i], weights[i], {.values = gradients_[i]});
        }
        session_.backward(output_gradients_, gradient);
        return loss;
    }

  private:
    static constexpr std::array weights = {0.1F, 0.1F, 0.2F, 0.6F};

    vgg19::Session session_;
    std::vector<std::vector<float>> features_;
    std::vector<std::vector<float>> target_;
    std::vector<std::vector<float>> gradients_;
    std::vector<std::span<float>> outputs_;
    std::vector<std::span<const float>> output_gradients_;
};

/// Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.
class Adam {
  public:
    explicit Adam(std::size_t count) : mean_(count), square_(count) {}

    void step(std::span<float> values, std::span<const float> gradient) {
        constexpr float rate = 0.05F;
        constexpr float beta1 = 0.9F;
        constexpr float beta2 = 0.999F;
        ++steps_;
        const float unbias1 = 1 / (1 - std::pow(beta1, static_cast<float>(steps_)));
        const float unbias2 = 1 / (1 - std::pow(beta2, static_cast<float>(steps_)));
        for (std::size_t i = 0; i < values.size(); ++i) {
            mean_[i] = beta1 * mean_[i] + (1 - beta1) * gradient[i];
            square_[i] = beta2 * square_[i] + (1 - beta2) * gradient[i] * gradient[i];
            values[i] -= rate * mean_[i] * unbias1 / (std::sqrt(square_[i] * unbias2) + 1e-8F);
        }
    }

  private:
    std::vector<float> mean_;
    std::vector<float> square_;
    int steps_ = 0;
};

std::vector<float> read_picture(const vgg19::Session& session, const char* path) {
    std::vector<float> picture(3 * session.input_size().pixels());
    session.preprocess(vgg19::load_image(path).view(), picture);
    return picture;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: %s MODEL TARGET START STEPS\n", argv[0]);
        return 2;
    }
    try {
        PerceptualLoss loss(vgg19::Model::open(argv[1]));
        loss.set_target(read_picture(loss.session(), argv[2]));
        std::vector<float> picture = read_picture(loss.session(), argv[3]);
        std::vector<float> gradient(picture.size());
        Adam adam(picture.size());
        const long steps = std::strtol(argv[4], nullptr, 10);
        for (long step = 0; step < steps; ++step) {
            std::printf("step %ld: %.6f\n", step, loss(picture, gradient));
            adam.step(picture, gradient);
        }
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
