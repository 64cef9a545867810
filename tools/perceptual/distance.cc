#include "tools/perceptual/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vgg19::tools {

namespace {

/// 1 / (the norm of each pixel's vector + 1e-10). Planes are read one after another, as they lie in memory.
std::vector<double> inverse_norms(const FeatureMap& map) {
    constexpr double smallest_norm = 1e-10;
    const std::size_t pixels = map.size.pixels();
    std::vector<double> norms(pixels);
    for (std::size_t channel = 0; channel < map.channels; ++channel) {
        const float* plane = map.values.data() + channel * pixels;
        for (std::size_t i = 0; i < pixels; ++i) {
            norms[i] += static_cast<double>(plane[i]) * static_cast<double>(plane[i]);
        }
    }
    for (double& norm : norms) norm = 1 / (std::sqrt(norm) + smallest_norm);
    return norms;
}

/// Where a sample of the enlarged axis lies between two of the small one.
struct Between {
    std::size_t first = 0;
    std::size_t second = 0;
    double share = 0;  ///< of the second
};

std::vector<Between> between(std::size_t from, std::size_t to) {
    std::vector<Between> result;
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    for (std::size_t i = 0; i < to; ++i) {
        const double place = std::max((static_cast<double>(i) + 0.5) * scale - 0.5, 0.0);
        const auto first = std::min(static_cast<std::size_t>(place), from - 1);
        result.push_back({first, std::min(first + 1, from - 1), place - static_cast<double>(first)});
    }
    return result;
}

}  // namespace

std::vector<float> pixel_distances(const FeatureMap& a, const FeatureMap& b) {
    const std::size_t pixels = a.size.pixels();
    const std::vector<double> a_scale = inverse_norms(a);
    const std::vector<double> b_scale = inverse_norms(b);
    std::vector<double> sums(pixels);
    for (std::size_t channel = 0; channel < a.channels; ++channel) {
        const float* a_plane = a.values.data() + channel * pixels;
        const float* b_plane = b.values.data() + channel * pixels;
        for (std::size_t i = 0; i < pixels; ++i) {
            const double difference =
                static_cast<double>(a_plane[i]) * a_scale[i] - static_cast<double>(b_plane[i]) * b_scale[i];
            sums[i] += difference * difference;
        }
    }
    return {sums.begin(), sums.end()};
}

double mean(std::span<const float> pixels) {
    double sum = 0;
    for (const float pixel : pixels) sum += static_cast<double>(pixel);
    return sum / static_cast<double>(pixels.size());
}

std::vector<float> enlarged(std::span<const float> pixels, MapSize from, MapSize to) {
    const std::vector<Between> rows = between(from.height, to.height);
    const std::vector<Between> columns = between(from.width, to.width);
    std::vector<float> result;
    result.reserve(to.pixels());
    for (const Between& row : rows) {
        const float* upper = pixels.data() + row.first * from.width;
        const float* lower = pixels.data() + row.second * from.width;
        for (const Between& column : columns) {
            const auto across = [&column](const float* line) {
                return std::lerp(static_cast<double>(line[column.first]),
                                 static_cast<double>(line[column.second]), column.share);
            };
            result.push_back(static_cast<float>(std::lerp(across(upper), across(lower), row.share)));
        }
    }
    return result;
}

double peak_signal_to_noise(std::span<const unsigned char> a, std::span<const unsigned char> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    if (sum == 0) return std::numeric_limits<double>::infinity();
    constexpr double peak = 255;
    return 10 * std::log10(peak * peak * static_cast<double>(a.size()) / sum);
}

}  // namespace vgg19::tools
