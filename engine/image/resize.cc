#include "engine/image/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace vgg19 {
namespace {

constexpr int weight_bits = 22;  // with 8-bit samples the sum stays within 31 bits
constexpr double weight_one = 1 << weight_bits;

/// The input samples that contribute to one output sample.
struct Taps {
    std::size_t first = 0;
    std::vector<std::int32_t> weights;

    std::size_t end() const { return first + weights.size(); }
};

Taps taps_of(std::size_t output_index, std::size_t input, std::size_t output) {
    const double scale = static_cast<double>(input) / static_cast<double>(output);
    const double support = std::max(scale, 1.0);
    const double centre = (static_cast<double>(output_index) + 0.5) * scale;

    Taps taps;
    taps.first = static_cast<std::size_t>(std::floor(std::max(centre - support + 0.5, 0.0)));
    const std::size_t end = std::min(static_cast<std::size_t>(std::floor(centre + support + 0.5)), input);
    std::vector<double> weights;
    double sum = 0.0;
    for (std::size_t j = taps.first; j < end; ++j) {
        const double distance = (static_cast<double>(j) - centre + 0.5) * (1.0 / support);
        weights.push_back(std::max(1.0 - std::abs(distance), 0.0));
        sum += weights.back();
    }
    for (const double weight : weights) {
        taps.weights.push_back(static_cast<std::int32_t>(std::floor(weight / sum * weight_one + 0.5)));
    }
    return taps;
}

/// The taps of the `count` output samples that start at `begin`.
std::vector<Taps> taps_of_range(std::size_t begin, std::size_t count, std::size_t input, std::size_t output) {
    std::vector<Taps> taps;
    for (std::size_t i = begin; i < begin + count; ++i) taps.push_back(taps_of(i, input, output));
    return taps;
}

std::uint8_t rounded(std::int32_t sum) {
    return static_cast<std::uint8_t>(std::min(sum >> weight_bits, 255));
}

constexpr std::int32_t half = 1 << (weight_bits - 1);

/// Resizes one row of pixels.
void resize_row(const std::uint8_t* row, const std::vector<Taps>& columns, std::uint8_t* to) {
    for (const Taps& taps : columns) {
        std::array<std::int32_t, 3> sums = {half, half, half};
        const std::uint8_t* pixel = row + taps.first * 3;
        for (const std::int32_t weight : taps.weights) {
            for (std::size_t c = 0; c < 3; ++c) sums[c] += weight * *pixel++;
        }
        for (const std::int32_t sum : sums) *to++ = rounded(sum);
    }
}

/// Blends the rows of the taps into one. `sums` is scratch memory for one row.
void blend_rows(const std::uint8_t* rows, const Taps& taps, std::span<std::int32_t> sums, std::uint8_t* to) {
    std::fill(sums.begin(), sums.end(), half);
    for (const std::int32_t weight : taps.weights) {
        for (std::int32_t& sum : sums) sum += weight * *rows++;
    }
    std::transform(sums.begin(), sums.end(), to, rounded);
}

}  // namespace

Image resize_bilinear(const ImageView& image, std::size_t width, std::size_t height, const Box& box) {
    const std::vector<Taps> columns = taps_of_range(box.left, box.width, image.width, width);
    const std::vector<Taps> rows = taps_of_range(box.top, box.height, image.height, height);
    const std::size_t first_row = rows.front().first;
    const std::size_t end_row = rows.back().end();
    const std::size_t row_bytes = box.width * 3;

    std::vector<std::uint8_t> narrowed((end_row - first_row) * row_bytes);
    for (std::size_t y = first_row; y < end_row; ++y) {
        resize_row(image.rgb + y * image.stride, columns, &narrowed[(y - first_row) * row_bytes]);
    }

    Image result{std::vector<std::uint8_t>(box.height * row_bytes), box.width, box.height};
    std::vector<std::int32_t> sums(row_bytes);
    for (std::size_t y = 0; y < box.height; ++y) {
        blend_rows(&narrowed[(rows[y].first - first_row) * row_bytes], rows[y], sums,
                   &result.rgb[y * row_bytes]);
    }
    return result;
}

}  // namespace vgg19
