// The distribution of magnitudes, and the range that is to be quantised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vgg19::converter {

/// Counts of magnitudes in bins of equal width over [0, 2^exponent). Where a larger one comes, the range
/// grows by a power of two and neighbouring bins become one, which moves no value across an edge: the result
/// depends on neither the order nor on how values are split among histograms that are merged.
class Histogram {
  public:
    static constexpr std::size_t bins = 2048;

    /// `magnitude` is finite and not negative.
    void add(float magnitude) {
        if (magnitude >= range_) grow(magnitude);
        ++counts_[static_cast<std::size_t>(magnitude * bins_per_unit_)];
        largest_ = magnitude > largest_ ? magnitude : largest_;
    }
    void merge(const Histogram& other);

    float largest() const { return largest_; }  ///< exact; 0 where there is none
    std::uint64_t count() const;
    const std::array<std::uint64_t, bins>& counts() const { return counts_; }
    double bin_width() const { return static_cast<double>(range_) / bins; }

  private:
    void grow(float magnitude);
    void set_exponent(int exponent);

    // A start that is small beside any activation that matters, and whose bins per unit are a float.
    int exponent_ = -64;
    float range_ = 0x1p-64F;
    float bins_per_unit_ = 0x1p75F;
    float largest_ = 0;
    std::array<std::uint64_t, bins> counts_{};
};

enum class RangeMethod : unsigned char {
    max,         ///< nothing is clipped
    percentile,  ///< 99.99 % of the values are not clipped
    mse,         ///< the smallest mean squared error, of rounding and of clipping together
};

/// The magnitude that becomes the largest of `levels` steps; 0 where all values are.
float choose_limit(const Histogram& histogram, RangeMethod method, int levels);

/// What the steps limit / levels make of the values: the share that is clipped.
double clipped_share(const Histogram& histogram, float limit);

}  // namespace vgg19::converter
