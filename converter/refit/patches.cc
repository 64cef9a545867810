#include "converter/refit/patches.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "kernels/common/blocked_layout.h"

namespace vgg19::converter {

std::vector<std::size_t> sample_positions(std::size_t positions, std::size_t count, std::uint64_t seed) {
    std::vector<std::size_t> all(positions);
    std::iota(all.begin(), all.end(), std::size_t{0});
    if (count >= positions) return all;
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random() % (positions - i)]);
    all.resize(count);
    std::sort(all.begin(), all.end());
    return all;
}

void gather_row(const BlockedMap& map, std::span<const std::size_t> channels, std::size_t position,
                Surroundings surroundings, float* row) {
    const auto plane = [&](std::size_t channel) {
        return map.values + kernels::blocked_index(map.channels, map.size.height, map.size.width, map.block,
                                                   0, channel, 0, 0);
    };
    if (surroundings == Surroundings::none) {
        for (const std::size_t channel : channels) *row++ = plane(channel)[position * map.block];
        return;
    }
    const std::size_t y = position / map.size.width;
    const std::size_t x = position % map.size.width;
    for (std::size_t dy = 0; dy < 3; ++dy) {
        for (std::size_t dx = 0; dx < 3; ++dx, ++row) {
            // Compared with an offset of one, since the unsigned indices must not become negative.
            const bool inside =
                y + dy >= 1 && y + dy <= map.size.height && x + dx >= 1 && x + dx <= map.size.width;
            const std::size_t offset = inside ? ((y + dy - 1) * map.size.width + x + dx - 1) * map.block : 0;
            for (std::size_t i = 0; i < channels.size(); ++i) {
                row[9 * i] = inside ? plane(channels[i])[offset] : 0.0F;
            }
        }
    }
}

}  // namespace vgg19::converter
