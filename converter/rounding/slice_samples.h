// The samples of a slice of a layer's inputs, and how well weights do on those that are held out.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/refit/least_squares.h"
#include "converter/rounding/layer_inputs.h"
#include "engine/layers/execution.h"

namespace vgg19::converter {

/// Some outputs' weights for a slice.
struct SliceWeights {
    std::vector<std::size_t> outputs;  ///< whose these are
    std::vector<float> changes;        ///< [outputs][inputs], to be added to the exact weights
    std::vector<float> bias_changes;   ///< [outputs]
};

class SliceSamples {
  public:
    /// `exact` are the weights [outputs][inputs]; they and `execution` must outlive this object.
    SliceSamples(std::span<const float> exact, std::size_t outputs, const layers::Execution& execution);

    void add(const InputSamples& samples);

    /// Of samples that are not held out: the rows as unknowns, and as targets what is missing in the outputs,
    /// exact weights · differences.
    const LeastSquares& equations() const { return equations_; }
    std::size_t held_out() const { return held_rows_.size() / (inputs_ + 1); }

    /// The changes of biases with which no output has a mean error on the samples that are not held out.
    std::vector<float> best_bias_changes(const SliceWeights& weights) const;
    /// Σ of squared errors on held-out samples.
    double error(const SliceWeights& weights) const;
    /// Σ of squared exact outputs, without biases, on held-out samples.
    double norm() const { return norm_; }

  private:
    std::span<const float> exact_;
    std::size_t outputs_;
    std::size_t inputs_;
    const layers::Execution& execution_;
    LeastSquares equations_;
    std::vector<float> held_rows_;
    std::vector<float> held_missing_;  ///< [samples][outputs]
    double norm_ = 0;
};

}  // namespace vgg19::converter
