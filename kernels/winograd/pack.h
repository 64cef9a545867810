// Packs filters, for every ISA.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/winograd/matrices.h"
#include "kernels/winograd/winograd.h"
#include "kernels/winograd/with_tile.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Packs one group of output channels: Winograd::group_blocks blocks of `lanes`.
template <std::size_t lanes>
struct WinogradPacker {
    /// One value per output channel of the group.
    using Lanes = std::array<double, Winograd::group_blocks * lanes>;
    using Taps = std::array<Lanes, 9>;

    const Winograd& problem;
    const float* weights;
    std::size_t first_channel;
    std::size_t group_channels;  ///< padded to blocks

    WinogradPacker(const Winograd& wanted, std::size_t group, const float* plain)
        : problem(wanted),
          weights(plain),
          first_channel(group * Winograd::group_blocks * lanes),
          group_channels(
              std::min(Winograd::group_blocks, wanted.output_blocks() - group * Winograd::group_blocks) *
              lanes) {}

    /// The filters of one input channel; zero for padding channels.
    Taps taps_of(std::size_t input_channel) const {
        Taps taps{};
        if (input_channel >= problem.input_channels) return taps;
        const std::size_t channels = std::min(group_channels, problem.output_channels - first_channel);
        for (std::size_t lane = 0; lane < channels; ++lane) {
            const std::size_t output_channel = first_channel + lane;
            const float* filter =
                weights + 9 * (problem.transposed ? input_channel * problem.output_channels + output_channel
                                                  : output_channel * problem.input_channels + input_channel);
            for (std::size_t tap = 0; tap < 9; ++tap) {
                taps[tap][lane] = double{filter[problem.transposed ? 8 - tap : tap]};
            }
        }
        return taps;
    }

    void store(const Lanes& values, float* target) const {
        for (std::size_t lane = 0; lane < group_channels; ++lane) {
            target[lane] = static_cast<float>(values[lane]);
        }
    }

    /// Σ coefficients[k] · x[k · step] for each lane.
    static Lanes weighted_sum(const std::array<double, 3>& coefficients, const Lanes* x, std::size_t step) {
        Lanes sum;
        for (std::size_t lane = 0; lane < sum.size(); ++lane) {
            sum[lane] = coefficients[0] * x[0][lane] + coefficients[1] * x[step][lane] +
                        coefficients[2] * x[2 * step][lane];
        }
        return sum;
    }

    /// G g Gᵀ for tiles of m×k pixels, computed in double and rounded once.
    template <std::size_t m, std::size_t k>
    void transformed(const Taps& taps, std::size_t input_channel, float* target) const {
        static constexpr auto of_rows = winograd_matrices<m>.filter;
        static constexpr auto of_columns = winograd_matrices<k>.filter;
        const std::size_t padded_inputs = problem.input_blocks() * lanes;
        for (std::size_t i = 0; i < of_rows.size(); ++i) {
            std::array<Lanes, 3> row{};  // row i of G g
            for (std::size_t column = 0; column < 3; ++column) {
                row[column] = weighted_sum(of_rows[i], &taps[column], 3);
            }
            for (std::size_t j = 0; j < of_columns.size(); ++j) {
                const std::size_t place = (i * of_columns.size() + j) * padded_inputs + input_channel;
                store(weighted_sum(of_columns[j], row.data(), 1), target + place * group_channels);
            }
        }
    }

    void pack(std::size_t input_channel, float* target) const {
        const Taps taps = taps_of(input_channel);
        with_tile<winograd_tiles>(problem.tile,
                                  [&](auto m, auto k) { transformed<m, k>(taps, input_channel, target); });
    }
};

template <std::size_t lanes>
void winograd_pack_group(const Winograd& problem, std::size_t group, const float* weights, float* packed) {
    const WinogradPacker<lanes> packer(problem, group, weights);
    // All earlier groups are full, so they have the size of the first one.
    float* target = packed + group * problem.packed_group_size(0);
    for (std::size_t channel = 0; channel < problem.input_blocks() * lanes; ++channel) {
        packer.pack(channel, target);
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
