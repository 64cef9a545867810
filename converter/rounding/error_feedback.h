// Rounds weights so that the error of the outputs is small, rather than that of the weights.
//
// Each input's weights are rounded after those behind it, to what makes up best for their errors (Frantar et
// al.: GPTQ, 2023, which Chen et al. 2025 show to be Babai's nearest plane algorithm). Then single weights
// move to neighbouring levels, and scales to their least squares, as long as the error falls (coordinate
// descent; Nagel et al.: Up or Down? Adaptive Rounding for Post-Training Quantization, 2020, on the choice).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/rounding/quadratic_error.h"

namespace vgg19::converter {

/// Some outputs of a layer: [outputs][inputs] of the QuadraticError.
struct RoundedRows {
    std::vector<std::int8_t> values;
    std::vector<float> scales;  ///< [outputs]
};

/// What a layer's rows are rounded to.
struct RowGrid {
    int largest = 127;              ///< levels are −largest to largest
    std::span<const float> scales;  ///< [outputs]; where rounding starts
    bool fixed_scales = false;      ///< else they are fitted too
};

/// Rounds rows near `wanted` (the weights and their best change). The result does not depend on the number of
/// threads.
RoundedRows round_rows(const QuadraticError& error, std::span<const float> wanted, const RowGrid& grid,
                       int threads);

/// The same for INT4 weights, whose scale belongs to an input and model::int4_group outputs.
struct RoundedGroups {
    std::vector<std::int8_t> values;    ///< [outputs][inputs], from −7 to 7
    std::vector<std::uint16_t> scales;  ///< [inputs][groups], FP16
};
RoundedGroups round_groups(const QuadraticError& error, std::span<const float> wanted, int threads);

}  // namespace vgg19::converter
