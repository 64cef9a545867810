#include "converter/quantize/statistics.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// One channel with a border of zeros, as convolution and tiles read it.
class PaddedPlane {
  public:
    explicit PaddedPlane(MapSize size)
        : size_(size),
          tiles_(kernels::blocks_of(size.height, tile_step), kernels::blocks_of(size.width, tile_step)),
          stride_(tile_step * (tiles_.width + 1)),
          values_(tile_step * (tiles_.height + 1) * stride_) {}

    void load(const BlockedMap& map, std::size_t channel) {
        const float* from = map.values + kernels::blocked_index(map.channels, size_.height, size_.width,
                                                                map.block, 0, channel, 0, 0);
        for (std::size_t row = 0; row < size_.height; ++row) {
            float* to = &values_[(row + 1) * stride_ + 1];
            for (std::size_t column = 0; column < size_.width; ++column, from += map.block) {
                to[column] = *from;
            }
        }
    }

    MapSize size() const { return size_; }
    std::size_t tiles() const { return tiles_.pixels(); }
    const float* row(std::size_t index) const { return &values_[(index + 1) * stride_ + 1]; }

    Tile<float> tile(std::size_t index) const {
        const float* from = &values_[(index / tiles_.width * stride_ + index % tiles_.width) * tile_step];
        Tile<float> pixels;
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            pixels[i] = from[i / tile_side * stride_ + i % tile_side];
        }
        return pixels;
    }

  private:
    MapSize size_;
    MapSize tiles_;  ///< tiles per column, and per row
    std::size_t stride_;
    std::vector<float> values_;
};

/// The sum of each tap's inputs: the whole plane without the row and column that this tap never reads.
std::array<double, 9> tap_sums(const PaddedPlane& plane) {
    const std::size_t last_row = plane.size().height - 1;
    const std::size_t last = plane.size().width - 1;
    std::array<double, 9> sums{};
    for (std::size_t row = 0; row <= last_row; ++row) {
        const float* values = plane.row(row);
        double all = 0;
        for (std::size_t column = 0; column <= last; ++column) all += static_cast<double>(values[column]);
        const std::array<double, 3> seen = {all - static_cast<double>(values[last]), all,
                                            all - static_cast<double>(values[0])};
        for (std::size_t column = 0; column < seen.size(); ++column) {
            if (row < last_row) sums[column] += seen[column];
            sums[3 + column] += seen[column];
            if (row > 0) sums[6 + column] += seen[column];
        }
    }
    return sums;
}

/// One thread's memory.
struct Worker {
    explicit Worker(MapSize size) : plane(size) {}
    PaddedPlane plane;
    Histogram inputs;
    Tile<Histogram> transformed;

    void count() {
        for (std::size_t row = 0; row < plane.size().height; ++row) {
            const float* values = plane.row(row);
            for (std::size_t column = 0; column < plane.size().width; ++column) inputs.add(values[column]);
        }
        for (std::size_t index = 0; index < plane.tiles(); ++index) {
            const Tile<float> values = transform_input(plane.tile(index));
            for (std::size_t p = 0; p < values.size(); ++p) transformed[p].add(std::abs(values[p]));
        }
    }
};

}  // namespace

void ConvolutionStatistics::add(const BlockedMap& map, std::size_t more_tiles, int threads) {
    constexpr std::size_t stride_between_kept =
        40009;  // a prime, so that the kept tiles cover all of a small map
    const std::size_t first = tiles();
    tiles_.resize((first + more_tiles) * channels_);
    std::vector<Worker> workers(static_cast<std::size_t>(threads), Worker(map.size));
    kernels::parallel_workers(threads, channels_, [&](std::size_t index, std::size_t channel) {
        Worker& worker = workers[index];
        worker.plane.load(map, channel);
        worker.count();
        const std::array<double, 9> sums = tap_sums(worker.plane);
        for (std::size_t tap = 0; tap < sums.size(); ++tap) tap_sums_[channel][tap] += sums[tap];
        for (std::size_t kept = first; kept < first + more_tiles; ++kept) {
            const std::size_t place = kept * stride_between_kept % worker.plane.tiles();
            tiles_[kept * channels_ + channel] = worker.plane.tile(place);
        }
    });
    for (const Worker& worker : workers) {
        inputs_.merge(worker.inputs);
        for (std::size_t p = 0; p < transformed_.size(); ++p) transformed_[p].merge(worker.transformed[p]);
    }
    pixels_ += static_cast<double>(map.size.pixels());
}

double ConvolutionStatistics::tap_mean(std::size_t channel, std::size_t tap) const {
    return pixels_ == 0 ? 0 : tap_sums_[channel][tap] / pixels_;
}

}  // namespace vgg19::converter
