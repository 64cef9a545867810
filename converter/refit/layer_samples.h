// The least-squares problem of one layer: compares the unpruned network with the pruned one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "converter/refit/layer_pass.h"
#include "converter/refit/patches.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

/// Find a correction of a layer's plain weights. Let x be the surroundings of a position in the unpruned
/// network, and z those in the current one (zero for removed channels). The target is
///
///   weights · (x − z) + offset        (the differences x − z themselves if there are no weights)
///
/// and the regressors are z's kept channels and a constant.
struct RefitProblem {
    std::size_t layer = 0;
    Surroundings surroundings = Surroundings::none;
    std::span<const std::size_t> regressors;  ///< channels of the layer's input
    std::size_t outputs = 0;
    std::span<const float> weights;  ///< [outputs][all input channels][taps], or empty
    std::span<const float> offset;   ///< [outputs]
};

struct RefitSolution {
    std::vector<float> values;  ///< [outputs][regressors · taps + 1], the constant last; empty if no solution
                                ///< is an improvement
    std::size_t unknowns = 0;
    std::size_t samples = 0;
    double ridge = 0;
    double error = 1;  ///< squared error on held-out images, relative to that without the solution
};

class LayerSampler {
  public:
    LayerSampler(const model::ModelFile& model, const CalibrationImages& images, std::uint64_t seed);

    /// The pruned network so far; its convolutions are replaced as soon as their solutions are known.
    LayerPass& current() { return current_; }
    /// Replaces the whole network. `model` must outlive this object.
    void replace_current(const model::ModelFile& model) { current_ = LayerPass(model, images_.session); }

    /// Layers must come in ascending order.
    RefitSolution solve(const RefitProblem& problem);

  private:
    struct Samples;
    struct Pending;
    /// Runs both networks over all images and collects samples.
    void collect(const RefitProblem& problem, Samples& samples);
    /// The inputs of a layer for some images: in the original network, and in the current one.
    using InputVisitor = std::function<void(std::size_t first_image, std::size_t images, const float* wanted,
                                            const float* given)>;
    /// In the order of images. Goes on from the inputs that are kept, and keeps these ones, if they fit.
    void visit_inputs(std::size_t layer, const InputVisitor& visit);
    void visit_kept(std::size_t layer, bool keep, const InputVisitor& visit);
    /// Copies a layer's inputs for a whole batch.
    kernels::AlignedBuffer copy(std::size_t layer, const float* inputs) const;
    /// Adds samples at some positions of an image.
    void gather(const RefitProblem& problem, std::span<const std::size_t> positions, const BlockedMap& wanted,
                const BlockedMap& given, Pending& pending) const;
    void flush(const RefitProblem& problem, Samples& samples) const;
    std::vector<float> targets(const RefitProblem& problem, std::span<const float> differences) const;

    const model::ModelFile& model_;
    const CalibrationImages& images_;
    std::uint64_t seed_;
    LayerPass original_;
    LayerPass current_;
    /// The inputs of layer kept_layer_, which later layers' solutions do not change.
    struct KeptInputs {
        std::size_t first_image = 0;
        std::size_t images = 0;
        kernels::AlignedBuffer wanted;
        kernels::AlignedBuffer given;
    };
    std::vector<KeptInputs> kept_;
    std::size_t kept_layer_ = 0;
};

}  // namespace vgg19::converter
