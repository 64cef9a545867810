// Losses of feature maps and pictures, with their gradients: what is computed around Session::backward().
//
// All values are FP32 in the plain layout, [batch][channels][height][width]. Sums are taken in double
// precision over parts of fixed length, so that results are bitwise the same for every number of threads.
// Functions throw Error (usage) for spans of other lengths and for invalid options. They are thread-safe as
// far as they write to different memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "vgg19/session.h"

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

struct LossOptions {
    int threads = 0;             ///< 0 means as many as this process has CPUs
    std::string isa{};           ///< as SessionOptions::isa
    ParallelFor parallel_for{};  ///< as SessionOptions::parallel_for
};

/// The gradient of a loss with respect to its first argument, and the loss's weight.
struct LossGradient {
    /// Where it is written, with the length of that argument; empty if it is not wanted. May be the memory of
    /// the features of l1_loss and l2_loss, but not of gram_loss and total_variation.
    std::span<float> values{};
    /// Added to what is there, so that several losses of one output sum up. Not with the features' memory.
    bool adds = false;
};

/// weight · mean |features − target|. The gradient is 0 where both are equal, as in PyTorch's
/// torch.nn.functional.l1_loss.
double l1_loss(std::span<const float> features, std::span<const float> target, float weight = 1,
               const LossGradient& gradient = {}, const LossOptions& options = {});

/// weight · mean (features − target)²: torch.nn.functional.mse_loss.
double l2_loss(std::span<const float> features, std::span<const float> target, float weight = 1,
               const LossGradient& gradient = {}, const LossOptions& options = {});

struct FeatureShape {
    std::size_t batch = 1;
    std::size_t channels = 0;
    std::size_t pixels = 0;  ///< height × width
    std::size_t size() const { return batch * channels * pixels; }
    std::size_t gram_size() const { return batch * channels * channels; }
};

/// The shape of an output of four dimensions. Throws Error (usage) for one that is no map.
FeatureShape feature_shape(const Output& output);

/// gram[b][i][j] = Σ_p features[b][i][p] · features[b][j][p] / (channels · pixels): which features occur
/// together, whatever their places (Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural
/// Networks", 2016).
void gram_matrix(std::span<const float> features, const FeatureShape& shape, std::span<float> gram,
                 const LossOptions& options = {});

/// weight · mean (gram − target_gram)², over all images' matrices, with gram as above. Allocates memory for
/// these.
double gram_loss(std::span<const float> features, const FeatureShape& shape,
                 std::span<const float> target_gram, float weight = 1, const LossGradient& gradient = {},
                 const LossOptions& options = {});

struct PictureShape {
    std::size_t planes = 0;  ///< batch × channels
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t size() const { return planes * height * width; }
};

/// How the differences of neighbours count in the total variation.
enum class Variation : unsigned char {
    absolute,  ///< |d|: keeps edges (Rudin, Osher and Fatemi 1992, for both directions apart)
    squared,   ///< d²: smoother
};

/// weight · (Σ f(x[y+1][x] − x[y][x]) + Σ f(x[y][x+1] − x[y][x])) over all planes.
double total_variation(std::span<const float> picture, const PictureShape& shape,
                       Variation variation = Variation::absolute, float weight = 1,
                       const LossGradient& gradient = {}, const LossOptions& options = {});

}  // namespace vgg19

#pragma GCC visibility pop
