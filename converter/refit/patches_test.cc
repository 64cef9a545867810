#include "converter/refit/patches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernels/common/blocked_layout.h"

namespace vgg19::converter {

TEST_CASE("positions are sampled without repetition, by seed, and all where they are few") {
    const auto some = sample_positions(100, 10, 7);
    CHECK(some.size() == 10);
    CHECK(std::is_sorted(some.begin(), some.end()));
    CHECK(std::adjacent_find(some.begin(), some.end()) == some.end());
    CHECK(some.back() < 100);
    CHECK(some == sample_positions(100, 10, 7));
    CHECK(some != sample_positions(100, 10, 8));
    CHECK(sample_positions(3, 10, 7) == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("a row holds the surroundings of a position, channel by channel, and zeros beyond the border") {
    for (const std::size_t block : {1U, 8U, 16U}) {
        CAPTURE(block);
        constexpr std::size_t channels = 19;
        constexpr std::size_t side = 3;
        std::vector<float> values(kernels::blocked_size(1, channels, side, side, block));
        const auto value = [](std::size_t channel, std::size_t y, std::size_t x) {
            return static_cast<float>(100 * channel + 10 * y + x);
        };
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t y = 0; y < side; ++y) {
                for (std::size_t x = 0; x < side; ++x) {
                    values[kernels::blocked_index(channels, side, side, block, 0, c, y, x)] = value(c, y, x);
                }
            }
        }
        const BlockedMap map = {values.data(), channels, side, block};
        const std::vector<std::size_t> chosen = {2, 17};
        std::vector<float> row(18);
        gather_row(map, chosen, 5, Surroundings::taps_3x3, row.data());         // row 1, column 2
        CHECK(row == std::vector<float>{201, 202, 0, 211, 212, 0, 221, 222, 0,  //
                                        1701, 1702, 0, 1711, 1712, 0, 1721, 1722, 0});
        gather_row(map, chosen, 0, Surroundings::taps_3x3, row.data());
        CHECK(row == std::vector<float>{0, 0, 0, 0, 200, 201, 0, 210, 211,  //
                                        0, 0, 0, 0, 1700, 1701, 0, 1710, 1711});
        std::vector<float> point(2);
        gather_row(map, chosen, 7, Surroundings::none, point.data());
        CHECK(point == std::vector<float>{221, 1721});
    }
}

}  // namespace vgg19::converter
