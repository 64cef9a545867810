#include "converter/quantize/statistics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"

namespace vgg19::converter {

namespace {

using kernels::testing::GuardedBuffer;
using kernels::testing::Random;

/// A map in the blocked layout that ends at a guard page, and access to its pixels.
class RandomMap {
  public:
    RandomMap(Random& random, std::size_t channels, MapSize size, std::size_t block)
        : channels_(channels),
          size_(size),
          block_(block),
          values_(kernels::blocked_size(1, channels, size.height, size.width, block)) {
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t i = 0; i < size.pixels(); ++i) {
                values_.data()[index(c, i / size.width, i % size.width)] =
                    std::max(random.uniform(-1, 3), 0.0F);
            }
        }
    }

    BlockedMap map() const { return {values_.data(), channels_, size_, block_}; }

    /// Zero outside the map. `row` and `column` count from the padding's corner.
    float padded(std::size_t channel, std::size_t row, std::size_t column) const {
        if (row == 0 || column == 0 || row > size_.height || column > size_.width) return 0;
        return values_.data()[index(channel, row - 1, column - 1)];
    }

    Tile<float> tile(std::size_t channel, std::size_t row, std::size_t column) const {
        Tile<float> pixels{};
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            pixels[i] = padded(channel, 2 * row + i / 4, 2 * column + i % 4);
        }
        return pixels;
    }

  private:
    std::size_t index(std::size_t channel, std::size_t row, std::size_t column) const {
        return kernels::blocked_index(channels_, size_.height, size_.width, block_, 0, channel, row, column);
    }

    std::size_t channels_;
    MapSize size_;
    std::size_t block_;
    GuardedBuffer<float> values_;
};

struct Shape {
    std::size_t channels;
    MapSize size;
    std::size_t block;
};
constexpr std::array<Shape, 8> shapes = {{{1, 1, 8},
                                          {3, 2, 8},
                                          {8, 7, 8},
                                          {17, 6, 16},
                                          {33, 3, 16},
                                          {5, {4, 9}, 8},
                                          {9, {7, 2}, 16},
                                          {2, {1, 5}, 8}}};

void check_same(const Histogram& found, const Histogram& expected) {
    CHECK(found.counts() == expected.counts());
    CHECK(found.largest() == expected.largest());
}

}  // namespace

TEST_CASE("inputs and transformed inputs are each counted once, including padding for the latter") {
    Random random;
    INFO(random.replay());
    for (const Shape& shape : shapes) {
        CAPTURE(shape.channels);
        CAPTURE(to_string(shape.size));
        const RandomMap map(random, shape.channels, shape.size, shape.block);
        ConvolutionStatistics statistics(shape.channels);
        statistics.add(map.map(), 0, 1);

        Histogram inputs;
        Tile<Histogram> transformed;
        const MapSize tiles = {(shape.size.height + 1) / 2, (shape.size.width + 1) / 2};
        for (std::size_t c = 0; c < shape.channels; ++c) {
            for (std::size_t row = 1; row <= shape.size.height; ++row) {
                for (std::size_t column = 1; column <= shape.size.width; ++column) {
                    inputs.add(map.padded(c, row, column));
                }
            }
            for (std::size_t tile = 0; tile < tiles.pixels(); ++tile) {
                const Tile<float> values =
                    transform_input(map.tile(c, tile / tiles.width, tile % tiles.width));
                for (std::size_t p = 0; p < values.size(); ++p) transformed[p].add(std::abs(values[p]));
            }
        }
        check_same(statistics.inputs(), inputs);
        for (std::size_t p = 0; p < transformed.size(); ++p) {
            check_same(statistics.transformed()[p], transformed[p]);
        }
    }
}

TEST_CASE("a tap's mean covers all pixels that it reads, over all maps") {
    Random random;
    INFO(random.replay());
    for (const Shape& shape : shapes) {
        CAPTURE(to_string(shape.size));
        const std::array<RandomMap, 2> maps = {RandomMap(random, shape.channels, shape.size, shape.block),
                                               RandomMap(random, shape.channels, shape.size, shape.block)};
        ConvolutionStatistics statistics(shape.channels);
        for (const RandomMap& map : maps) statistics.add(map.map(), 0, 1);
        for (std::size_t c = 0; c < shape.channels; ++c) {
            for (std::size_t tap = 0; tap < 9; ++tap) {
                double sum = 0;
                for (std::size_t i = 0; i < shape.size.pixels(); ++i) {
                    for (const RandomMap& map : maps) {
                        sum += static_cast<double>(
                            map.padded(c, i / shape.size.width + tap / 3, i % shape.size.width + tap % 3));
                    }
                }
                const double expected = sum / static_cast<double>(2 * shape.size.pixels());
                REQUIRE(statistics.tap_mean(c, tap) == doctest::Approx(expected));
            }
        }
    }
}

TEST_CASE("kept tiles come from the map, and cover all of a small map") {
    Random random;
    INFO(random.replay());
    const RandomMap map(random, 5, 6, 8);
    ConvolutionStatistics statistics(5);
    statistics.add(map.map(), 9, 2);
    REQUIRE(statistics.tiles() == 9);
    std::vector<std::size_t> seen;
    for (std::size_t kept = 0; kept < 9; ++kept) {
        for (std::size_t place = 0; place < 9; ++place) {
            if (statistics.tile(kept, 0) != map.tile(0, place / 3, place % 3)) continue;
            seen.push_back(place);
            for (std::size_t c = 0; c < 5; ++c) {
                CHECK(statistics.tile(kept, c) == map.tile(c, place / 3, place % 3));
            }
        }
    }
    std::sort(seen.begin(), seen.end());
    CHECK(seen == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("maps fill a tile if one of them has as many rows, and one as many columns") {
    Random random;
    INFO(random.replay());
    for (const Shape& shape : shapes) {
        CAPTURE(to_string(shape.size));
        const RandomMap map(random, shape.channels, shape.size, shape.block);
        ConvolutionStatistics statistics(shape.channels);
        CHECK_FALSE(statistics.fills_tiles<TileF2x2>());
        statistics.add(map.map(), 0, 1);
        const std::size_t side = std::min(shape.size.height, shape.size.width);
        CHECK(statistics.fills_tiles<TileF2x2>() == (side >= 2));
        CHECK(statistics.fills_tiles<TileF4x4>() == (side >= 4));
    }
}

TEST_CASE("statistics are the same for every number of threads") {
    Random random;
    INFO(random.replay());
    const std::array<RandomMap, 2> maps = {RandomMap(random, 19, 5, 8), RandomMap(random, 19, 5, 8)};
    const auto collect = [&](int threads) {
        ConvolutionStatistics statistics(19);
        for (const RandomMap& map : maps) statistics.add(map.map(), 2, threads);
        return statistics;
    };
    const ConvolutionStatistics expected = collect(1);
    for (const int threads : {2, 3, 8}) {
        const ConvolutionStatistics found = collect(threads);
        check_same(found.inputs(), expected.inputs());
        for (std::size_t p = 0; p < model::winograd_positions; ++p) {
            check_same(found.transformed()[p], expected.transformed()[p]);
        }
        for (std::size_t i = 0; i < 19UL * 9; ++i) {
            CHECK(found.tap_mean(i / 9, i % 9) == expected.tap_mean(i / 9, i % 9));
        }
        for (std::size_t i = 0; i < 4UL * 19; ++i) {
            CHECK(found.tile(i / 19, i % 19) == expected.tile(i / 19, i % 19));
        }
    }
}

}  // namespace vgg19::converter
