#include "vgg19/losses.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/common/testing/random.h"
#include "vgg19/vgg19.h"

namespace vgg19 {

namespace {

constexpr std::size_t batch = 2;
constexpr std::size_t channels = 5;
constexpr std::size_t height = 7;
constexpr std::size_t width = 9;
constexpr FeatureShape shape = {batch, channels, height* width};
constexpr float weight = 0.75F;

struct Values {
    kernels::testing::Random random;
    std::vector<float> features = filled(shape.size());
    std::vector<float> target = filled(shape.size());
    std::vector<float> gram = filled(shape.gram_size());

    std::vector<float> filled(std::size_t count) {
        std::vector<float> values(count);
        random.fill(values, -1.0F, 1.0F);
        return values;
    }
};

/// Compares a loss by both interfaces: alone, and with a gradient that is written or added.
void check_loss(const std::function<double(const LossGradient&)>& cpp,
                const std::function<vgg19_status(const vgg19_loss_gradient*, double*)>& c) {
    double loss = 0;
    REQUIRE(c(nullptr, &loss) == VGG19_OK);
    CHECK(loss == cpp({}));
    for (const bool adds : {false, true}) {
        std::vector<float> expected(shape.size(), 0.5F);
        std::vector<float> found = expected;
        const vgg19_loss_gradient gradient = {found.data(), adds ? 1 : 0};
        REQUIRE(c(&gradient, &loss) == VGG19_OK);
        CHECK(loss == cpp({expected, adds}));
        CHECK(found == expected);
    }
    const vgg19_loss_gradient none = {nullptr, 0};
    CHECK(c(&none, &loss) == VGG19_USAGE);
    CHECK(c(nullptr, nullptr) == VGG19_USAGE);
}

}  // namespace

TEST_CASE("losses in C are those in C++") {
    Values values;
    INFO(values.random.replay());
    const auto& [random, features, target, gram] = values;
    int loops = 0;
    const vgg19_loss_options options = {
        .struct_size = sizeof options,
        .threads = 2,
        .parallel_for =
            [](void* context, std::size_t count, vgg19_task task, void* task_context) {
                ++*static_cast<int*>(context);
                for (std::size_t i = 0; i < count; ++i) task(task_context, i);
            },
        .parallel_for_context = &loops};
    check_loss([&](const LossGradient& gradient) { return l1_loss(features, target, weight, gradient); },
               [&](const vgg19_loss_gradient* gradient, double* loss) {
                   return vgg19_l1_loss(features.data(), target.data(), features.size(), weight, gradient,
                                        &options, loss);
               });
    check_loss([&](const LossGradient& gradient) { return l2_loss(features, target, weight, gradient); },
               [&](const vgg19_loss_gradient* gradient, double* loss) {
                   return vgg19_l2_loss(features.data(), target.data(), features.size(), weight, gradient,
                                        nullptr, loss);
               });
    check_loss(
        [&](const LossGradient& gradient) { return gram_loss(features, shape, gram, weight, gradient); },
        [&](const vgg19_loss_gradient* gradient, double* loss) {
            return vgg19_gram_loss(features.data(), batch, channels, height * width, gram.data(), weight,
                                   gradient, &options, loss);
        });
    for (const auto variation : {Variation::absolute, Variation::squared}) {
        const PictureShape picture = {batch * channels, height, width};
        check_loss(
            [&](const LossGradient& gradient) {
                return total_variation(features, picture, variation, weight, gradient);
            },
            [&](const vgg19_loss_gradient* gradient, double* loss) {
                return vgg19_total_variation(
                    features.data(), picture.planes, height, width,
                    variation == Variation::absolute ? VGG19_VARIATION_ABSOLUTE : VGG19_VARIATION_SQUARED,
                    weight, gradient, &options, loss);
            });
    }
    std::vector<float> expected(shape.gram_size());
    std::vector<float> found(shape.gram_size());
    gram_matrix(features, shape, expected);
    REQUIRE(vgg19_gram_matrix(features.data(), batch, channels, height * width, found.data(), &options) ==
            VGG19_OK);
    CHECK(found == expected);
    CHECK(loops > 0);
}

TEST_CASE("losses in C refuse what they cannot compute") {
    const std::vector<float> features(4);
    double loss = 0;
    CHECK(vgg19_l1_loss(nullptr, features.data(), 4, 1, nullptr, nullptr, &loss) == VGG19_USAGE);
    CHECK(vgg19_l2_loss(features.data(), nullptr, 4, 1, nullptr, nullptr, &loss) == VGG19_USAGE);
    CHECK(vgg19_gram_loss(features.data(), SIZE_MAX, 3, 3, features.data(), 1, nullptr, nullptr, &loss) ==
          VGG19_USAGE);
    CHECK(std::string(vgg19_last_error()).find("shape") != std::string::npos);
    vgg19_loss_options options = {};
    CHECK(vgg19_l1_loss(features.data(), features.data(), 4, 1, nullptr, &options, &loss) == VGG19_USAGE);
    CHECK(std::string(vgg19_last_error()).starts_with("vgg19_loss_options: struct_size"));
    options.struct_size = sizeof options;
    options.isa = "avx9000";
    CHECK(vgg19_l1_loss(features.data(), features.data(), 4, 1, nullptr, &options, &loss) == VGG19_USAGE);
}

}  // namespace vgg19
