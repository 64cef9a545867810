#include "kernels/reference/conv_reference.h"

#include <algorithm>
#include <cmath>

namespace vgg19::kernels {

namespace {

/// The outputs [begin, end) of an axis for which tap `tap` (of three) is inside the map.
struct Inside {
    std::size_t begin;
    std::size_t end;
};
Inside outputs_inside(std::size_t size, std::size_t tap) {
    return {tap == 0 ? std::size_t{1} : 0, tap == 2 ? size - 1 : size};
}

/// Adds the contribution of one weight, at row r and column s of the window, to a whole map.
void add_tap(const ConvDirect& problem, const float* input, float weight, std::size_t r, std::size_t s,
             double* sums, double* magnitudes) {
    const auto [first_row, last_row] = outputs_inside(problem.height, r);
    const auto [first_column, last_column] = outputs_inside(problem.width, s);
    for (std::size_t y = first_row; y < last_row; ++y) {
        const float* row = input + (y + r - 1) * problem.width;
        for (std::size_t x = first_column; x < last_column; ++x) {
            const double product = static_cast<double>(row[x + s - 1]) * static_cast<double>(weight);
            sums[y * problem.width + x] += product;
            if (magnitudes != nullptr) magnitudes[y * problem.width + x] += std::abs(product);
        }
    }
}

}  // namespace

void conv_reference(const ConvDirect& plain_problem, double* output, double* magnitude) {
    const std::size_t map_size = plain_problem.height * plain_problem.width;
    const std::size_t inputs = plain_problem.input_channels;
    for (std::size_t map = 0; map < plain_problem.batch * plain_problem.output_channels; ++map) {
        const std::size_t image = map / plain_problem.output_channels;
        const std::size_t channel = map % plain_problem.output_channels;
        const double bias = plain_problem.bias[channel];
        double* sums = output + map * map_size;
        double* magnitudes = magnitude == nullptr ? nullptr : magnitude + map * map_size;
        std::fill_n(sums, map_size, bias);
        if (magnitudes != nullptr) std::fill_n(magnitudes, map_size, std::abs(bias));
        for (std::size_t c = 0; c < inputs; ++c) {
            const float* input = plain_problem.input + (image * inputs + c) * map_size;
            const float* window = plain_problem.weights + (channel * inputs + c) * 9;
            for (std::size_t tap = 0; tap < 9; ++tap) {
                add_tap(plain_problem, input, window[tap], tap / 3, tap % 3, sums, magnitudes);
            }
        }
        if (!plain_problem.relu) continue;
        for (std::size_t i = 0; i < map_size; ++i) sums[i] = std::max(sums[i], 0.0);
    }
}

}  // namespace vgg19::kernels
