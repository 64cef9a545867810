// The exact and the quantised weights of a layer, in slices of its inputs, whatever their order and type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/int4_weights.h"
#include "converter/quantize/weights.h"
#include "converter/rounding/error_feedback.h"
#include "converter/rounding/quadratic_error.h"

namespace vgg19::converter {

/// A layer's exact weights.
struct ExactWeights {
    std::span<const float> values;
    std::size_t outputs = 0;
    std::size_t inputs = 0;
    bool input_major = false;

    /// [outputs][count], of inputs from `first` on.
    std::vector<float> slice(std::size_t first, std::size_t count) const;
};

/// Rows of a slice that were rounded, for some outputs.
struct RoundedSlice {
    std::vector<std::int8_t> levels;         ///< [outputs][inputs]
    std::vector<float> scales;               ///< INT8: [outputs]
    std::vector<std::uint16_t> int4_scales;  ///< INT4: [inputs][groups]
    std::vector<float> values;               ///< levels · scale, [outputs][inputs]
};

/// Quantised weights that can be read and replaced slice by slice.
class RoundableWeights {
  public:
    virtual ~RoundableWeights() = default;
    /// levels · scale, [outputs][count].
    virtual std::vector<float> slice(std::size_t first, std::size_t count) const = 0;
    /// Rounds rows near `wanted`: [outputs][inputs] of `error`. `outputs` are whole groups of
    /// model::int4_group.
    virtual RoundedSlice round(const QuadraticError& error, std::span<const float> wanted,
                               std::span<const std::size_t> outputs, int threads) const = 0;
    /// Replaces the weights of all outputs.
    virtual void store(std::size_t first, const RoundedSlice& rounded) = 0;
};

class RoundableInt8 final : public RoundableWeights {
  public:
    /// `fixed_scales`: several slices share them.
    RoundableInt8(QuantizedWeights& weights, int bits, bool fixed_scales)
        : weights_(weights), bits_(bits), fixed_scales_(fixed_scales) {}
    std::vector<float> slice(std::size_t first, std::size_t count) const override;
    RoundedSlice round(const QuadraticError& error, std::span<const float> wanted,
                       std::span<const std::size_t> outputs, int threads) const override;
    void store(std::size_t first, const RoundedSlice& rounded) override;

  private:
    std::int8_t& at(std::size_t output, std::size_t input) const {
        return weights_.values[weights_.input_major ? input * weights_.outputs + output
                                                    : output * weights_.inputs + input];
    }
    QuantizedWeights& weights_;
    int bits_;
    bool fixed_scales_;
};

class RoundableInt4 final : public RoundableWeights {
  public:
    RoundableInt4(Int4Weights& weights, std::size_t outputs);
    std::vector<float> slice(std::size_t first, std::size_t count) const override;
    RoundedSlice round(const QuadraticError& error, std::span<const float> wanted,
                       std::span<const std::size_t> outputs, int threads) const override;
    void store(std::size_t first, const RoundedSlice& rounded) override;

  private:
    Int4Weights& weights_;
    std::size_t outputs_;
    std::size_t groups_;
};

}  // namespace vgg19::converter
