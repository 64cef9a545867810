// The loss of style transfer: Gatys, Ecker and Bethge, Image Style Transfer Using Convolutional Neural
// Networks, 2016, with means in place of sums, so that weights do not depend on the picture's size.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tools/style/pixels.h"
#include "vgg19/image.h"
#include "vgg19/losses.h"
#include "vgg19/session.h"

namespace vgg19::tools {

struct StyleLayers {
    std::vector<std::string> content = {"relu4_2"};
    std::vector<std::string> style = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"};

    /// Each once: SessionOptions::outputs of the session that computes them.
    std::vector<std::string> outputs() const;
};

struct StyleWeights {
    double content = 1;
    double style = 1e6;
    double variation = 0;
};

/// The parts of the loss, with their weights.
struct StyleLoss {
    double content = 0;  ///< Σ over content layers of mean (F − F of the content picture)²
    double style = 0;  ///< Σ over style layers of mean (G − G of the style picture)²; G as gram_matrix()
    double variation = 0;  ///< the mean over the values of |differences to the neighbours below and right|

    double total() const { return content + style + variation; }
};

/// A function of a picture's planes (pixels.h), of the size of the content picture.
class StyleObjective {
  public:
    /// The session has layers.outputs() and gradients. It is planned for the style picture's size, then for
    /// the content picture's, and must outlive this object, as `options` are for its threads. Throws Error
    /// (usage) for a layer that is no map.
    StyleObjective(Session& session, StyleLayers layers, const StyleWeights& weights, const Image& content,
                   const Image& style, LossOptions options = {});

    /// Sets the gradient, and returns the loss. Throws Error (cancelled) once is_cancelled returns true.
    double operator()(std::span<const float> planes, std::span<float> gradient);

    /// Of the last call.
    const StyleLoss& loss() const { return loss_; }

    std::function<bool()> is_cancelled{};

  private:
    struct Target {
        std::size_t output = 0;  ///< of the session
        std::vector<float> values;
    };

    void run(std::span<const float> planes);
    std::size_t output_of(const std::string& layer) const;
    void plan_for(const Image& picture);

    Session& session_;
    StyleLayers layers_;
    StyleWeights weights_;
    LossOptions options_;
    PixelTransform pixels_;
    std::vector<Target> content_;
    std::vector<Target> style_;
    std::vector<float> input_;
    std::vector<float> input_gradient_;
    std::vector<std::vector<float>> features_;   ///< of each output
    std::vector<std::vector<float>> gradients_;  ///< with respect to them
    StyleLoss loss_;
};

}  // namespace vgg19::tools
