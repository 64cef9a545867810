#include "converter/quantize/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// One channel with a border of zeros, as convolution and tiles read it.
class PaddedPlane {
  public:
    explicit PaddedPlane(MapSize size)
        : size_(size),
          stride_(whole_tiles(size.width) + 2),
          values_((whole_tiles(size.height) + 2) * stride_) {}

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
    const float* row(std::size_t index) const { return &values_[(index + 1) * stride_ + 1]; }

    template <class Points>
    std::size_t tiles() const {
        return kernels::blocks_of(size_.height, Points::step) * kernels::blocks_of(size_.width, Points::step);
    }
    template <class Points>
    typename Points::template Pixels<float> tile(std::size_t index) const {
        const std::size_t columns = kernels::blocks_of(size_.width, Points::step);
        const float* from = &values_[(index / columns * stride_ + index % columns) * Points::step];
        typename Points::template Pixels<float> pixels;
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            pixels[i] = from[i / Points::side * stride_ + i % Points::side];
        }
        return pixels;
    }

  private:
    /// The larger tiles' outputs cover the smaller ones'.
    static std::size_t whole_tiles(std::size_t side) {
        return kernels::blocks_of(side, TileF4x4::step) * TileF4x4::step;
    }

    MapSize size_;
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

/// Sums of many pixels may exceed a float's range.
float finite_magnitude(float value) {
    constexpr float most = std::numeric_limits<float>::max();
    const float magnitude = std::abs(value);
    return magnitude <= most ? magnitude : most;  // also for NaN, from a difference of infinite sums
}

/// One thread's memory.
struct Worker {
    explicit Worker(MapSize size) : plane(size) {}
    PaddedPlane plane;
    Histogram inputs;
    std::array<Histogram, TileF2x2::positions> f2x2;
    std::array<Histogram, TileF4x4::positions> f4x4;

    void count() {
        for (std::size_t row = 0; row < plane.size().height; ++row) {
            const float* values = plane.row(row);
            for (std::size_t column = 0; column < plane.size().width; ++column) inputs.add(values[column]);
        }
        count_tiles<TileF2x2>(f2x2);
        count_tiles<TileF4x4>(f4x4);
    }

  private:
    template <class Points>
    void count_tiles(std::array<Histogram, Points::positions>& histograms) {
        for (std::size_t index = 0; index < plane.tiles<Points>(); ++index) {
            const auto values = Points::input(plane.tile<Points>(index));
            for (std::size_t p = 0; p < values.size(); ++p) histograms[p].add(finite_magnitude(values[p]));
        }
    }
};

/// The tiles of one map to keep, for all channels, behind those that are there: so many that there are
/// `total`.
template <class Points>
class KeptTiles {
  public:
    KeptTiles(TileStatistics<Points>& statistics, std::size_t channels, std::size_t total)
        : tiles_(statistics.tiles), channels_(channels), first_(tiles_.size() / channels), end_(total) {
        tiles_.resize(end_ * channels_);
    }
    void add(const PaddedPlane& plane, std::size_t channel) {
        constexpr std::size_t stride = 40009;  // a prime, so that the kept tiles cover all of a small map
        for (std::size_t kept = first_; kept < end_; ++kept) {
            const std::size_t place = kept * stride % plane.tiles<Points>();
            tiles_[kept * channels_ + channel] = plane.tile<Points>(place);
        }
    }

  private:
    std::vector<typename Points::template Pixels<float>>& tiles_;
    std::size_t channels_;
    std::size_t first_;
    std::size_t end_;
};

template <std::size_t positions>
void merge(std::array<Histogram, positions>& all, const std::array<Histogram, positions>& more) {
    for (std::size_t p = 0; p < positions; ++p) all[p].merge(more[p]);
}

}  // namespace

void ConvolutionStatistics::add(const BlockedMap& map, std::size_t more_tiles, int threads) {
    auto& f2x2 = std::get<TileStatistics<TileF2x2>>(by_tile_);
    auto& f4x4 = std::get<TileStatistics<TileF4x4>>(by_tile_);
    constexpr std::size_t larger = TileF4x4::step * TileF4x4::step / (TileF2x2::step * TileF2x2::step);
    const std::size_t total = tiles() + more_tiles;
    KeptTiles<TileF2x2> small(f2x2, channels_, total);
    KeptTiles<TileF4x4> large(f4x4, channels_, kernels::blocks_of(total, larger));
    std::vector<Worker> workers(static_cast<std::size_t>(threads), Worker(map.size));
    kernels::parallel_workers(threads, channels_, [&](std::size_t index, std::size_t channel) {
        Worker& worker = workers[index];
        worker.plane.load(map, channel);
        worker.count();
        const std::array<double, 9> sums = tap_sums(worker.plane);
        for (std::size_t tap = 0; tap < sums.size(); ++tap) tap_sums_[channel][tap] += sums[tap];
        small.add(worker.plane, channel);
        large.add(worker.plane, channel);
    });
    for (const Worker& worker : workers) {
        inputs_.merge(worker.inputs);
        merge(f2x2.transformed, worker.f2x2);
        merge(f4x4.transformed, worker.f4x4);
    }
    largest_map_ = {std::max(largest_map_.height, map.size.height),
                    std::max(largest_map_.width, map.size.width)};
    pixels_ += static_cast<double>(map.size.pixels());
}

double ConvolutionStatistics::tap_mean(std::size_t channel, std::size_t tap) const {
    return pixels_ == 0 ? 0 : tap_sums_[channel][tap] / pixels_;
}

}  // namespace vgg19::converter
