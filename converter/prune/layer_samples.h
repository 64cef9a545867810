// The least squares of one layer: samples of the unpruned network beside the pruned one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/prune/layer_pass.h"
#include "converter/prune/patches.h"

namespace vgg19::converter {

/// Find what to add to a layer's plain weights. With x the surroundings of a position in the unpruned network
/// and z those in the current one (zero where channels are gone), the target is
///
///   weights · (x − z) + offset        (the differences x − z themselves where there are no weights)
///
/// and the regressors are z's channels that are left, and a constant.
struct RefitProblem {
    std::size_t layer = 0;
    Surroundings surroundings = Surroundings::none;
    std::span<const std::size_t> regressors;  ///< channels of the layer's input
    std::size_t outputs = 0;
    std::span<const float> weights;  ///< [outputs][all input channels][taps], or none
    std::span<const float> offset;   ///< [outputs]
};

struct RefitSolution {
    std::vector<float>
        values;  ///< [outputs][regressors · taps + 1], the constant last; none: nothing is better
    std::size_t unknowns = 0;
    std::size_t samples = 0;
    double ridge = 0;
    double error = 1;  ///< squared, on images held out, as share of that without the solution
};

class LayerSampler {
  public:
    LayerSampler(const model::ModelFile& model, const CalibrationImages& images, std::uint64_t seed);

    /// The network as it is so far: convolutions are replaced here as they are found.
    LayerPass& current() { return current_; }

    RefitSolution solve(const RefitProblem& problem);

  private:
    struct Samples;
    struct Pending;
    /// Runs both networks over all images.
    void collect(const RefitProblem& problem, Samples& samples);
    /// Adds rows at some positions of an image.
    void gather(const RefitProblem& problem, std::span<const std::size_t> positions, const BlockedMap& wanted,
                const BlockedMap& given, Pending& pending) const;
    void flush(const RefitProblem& problem, Samples& samples) const;
    std::vector<float> targets(const RefitProblem& problem, std::span<const float> differences) const;

    const model::ModelFile& model_;
    const CalibrationImages& images_;
    std::uint64_t seed_;
    LayerPass original_;
    LayerPass current_;
};

}  // namespace vgg19::converter
