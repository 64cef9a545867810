// The rounding error that a tile causes, computed from its matrices at compile time.
//
// Take inputs and filters as independent random numbers with variance 1. At position i of a side with
// matrices Bᵀ, G and Aᵀ, transformed inputs have the variance b_i = Σ_k Bᵀ_ik², transformed filters g_i = Σ_k
// G_ik², and their products b_i · g_i. Rounding errors of a sum are relative to the sum, so they grow in the
// same way; the output transform then adds them with weights Aᵀ_ki². An output of direct convolution has the
// variance 3 for each side. So rounding errors, relative to the output, are larger than those of a sum in
// direct convolution by the factor
//
//   amplification = √( Σ_k Σ_i Aᵀ_ki² · b_i · g_i / (3 m) )
//
// for each side, and by the product of both for a tile. A sum of n terms, each addition of which rounds the
// partial sum so far, has a relative error of u · √(n / 2), with u the root mean square of a rounding's
// relative error.
#pragma once

#include <cstddef>

#include "kernels/winograd/matrices.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

namespace detail {

constexpr double square_root(double x) {
    double root = x > 1 ? x : 1;
    for (int step = 0; step < 60; ++step) root = (root + x / root) / 2;
    return root;
}

template <class Row>
constexpr double sum_of_squares(const Row& row) {
    double sum = 0;
    for (const double value : row) sum += value * value;
    return sum;
}

template <std::size_t m>
constexpr double amplification_of_side() {
    const WinogradMatrices<m> matrices;
    double sum = 0;
    for (std::size_t k = 0; k < m; ++k) {
        for (std::size_t i = 0; i < m + 2; ++i) {
            sum += matrices.output[k][i] * matrices.output[k][i] * sum_of_squares(matrices.input[i]) *
                   sum_of_squares(matrices.filter[i]);
        }
    }
    return square_root(sum / (3 * static_cast<double>(m)));
}

}  // namespace detail

/// How much larger rounding errors are than those of direct convolution, for a side of m pixels.
constexpr double winograd_amplification(std::size_t m) {
    constexpr double of_side[] = {0,
                                  0,
                                  detail::amplification_of_side<2>(),
                                  0,
                                  detail::amplification_of_side<4>(),
                                  detail::amplification_of_side<5>(),
                                  detail::amplification_of_side<6>(),
                                  detail::amplification_of_side<7>(),
                                  detail::amplification_of_side<8>()};
    return of_side[m];
}

/// The expected relative L2 error of the output of a convolution with this tile, with a margin of a fifth.
constexpr double winograd_error(WinogradTile tile, std::size_t input_channels) {
    // The largest error is 2⁻²⁴; errors are spread evenly up to it, and numbers over their binade.
    constexpr double rounding = 0.425 / (1 << 24);
    constexpr double margin = 1.2;
    constexpr double roundings_of_transforms = 6;
    const auto chunk = static_cast<double>(
        input_channels < Winograd::chunk_channels ? input_channels : Winograd::chunk_channels);
    const auto chunks = static_cast<double>(blocks_of(input_channels, Winograd::chunk_channels));
    return margin * rounding * winograd_amplification(tile.rows) * winograd_amplification(tile.columns) *
           detail::square_root(chunk / 2 + chunks / 2 + roundings_of_transforms);
}

}  // namespace vgg19::kernels
