#include "tools/features/map_pool.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr double smallest_value = 1e-6;  // ε

double average(std::span<const float> pixels) {
    double sum = 0;
    for (const float pixel : pixels) sum += static_cast<double>(pixel);
    return sum / static_cast<double>(pixels.size());
}

/// The largest value is factored out, since high powers of what a network computes overflow or vanish.
double generalized_mean(std::span<const float> pixels, double power) {
    const double most =
        std::max(static_cast<double>(*std::max_element(pixels.begin(), pixels.end())), smallest_value);
    double sum = 0;
    for (const float pixel : pixels) {
        const double share = std::max(static_cast<double>(pixel), smallest_value) / most;
        // The usual power is worth a case of its own: pow() takes longer than all else.
        sum += power == 3.0 ? share * share * share : std::pow(share, power);
    }
    return most * std::pow(sum / static_cast<double>(pixels.size()), 1 / power);
}

}  // namespace

MapPool parse_map_pool(std::string_view text) {
    if (text == "none") return MapPool::none;
    if (text == "avg") return MapPool::average;
    if (text == "gem") return MapPool::generalized_mean;
    throw Error(ErrorKind::usage, "--pool: expected none, avg or gem, found '" + std::string(text) + "'");
}

void pool_map(MapPool pool, double power, std::span<const float> map, std::span<float> pooled) {
    const std::size_t pixels = map.size() / pooled.size();
    for (std::size_t channel = 0; channel < pooled.size(); ++channel) {
        const auto plane = map.subspan(channel * pixels, pixels);
        pooled[channel] =
            static_cast<float>(pool == MapPool::average ? average(plane) : generalized_mean(plane, power));
    }
}

}  // namespace vgg19::tools
