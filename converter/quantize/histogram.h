// The distribution of magnitudes, and the choice of a quantization range.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vgg19::converter {

/// Counts magnitudes in bins of equal width over [0, 2^exponent). For a larger magnitude the range doubles as
/// often as needed, and neighbouring bins are merged, which moves no value across a bin edge. So the result
/// does not depend on the order of values, or on how they are split among histograms that are merged.
class Histogram {
  public:
    static constexpr std::size_t bins = 2048;

    /// `magnitude` is finite and non-negative.
    void add(float magnitude) {
        if (magnitude >= range_) grow(magnitude);
        ++counts_[static_cast<std::size_t>(magnitude * bins_per_unit_)];
        largest_ = magnitude > largest_ ? magnitude : largest_;
    }
    void merge(const Histogram& other);

    float largest() const { return largest_; }  ///< exact; 0 if there are no values
    std::uint64_t count() const;
    const std::array<std::uint64_t, bins>& counts() const { return counts_; }
    double bin_width() const { return static_cast<double>(range_) / bins; }

  private:
    void grow(float magnitude);
    void set_exponent(int exponent);

    // A start far below all relevant activations, for which bins_per_unit_ is still a finite float.
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

/// The magnitude that maps to the last of `levels` steps; 0 if all values are 0.
float choose_limit(const Histogram& histogram, RangeMethod method, int levels);

/// The share of values above `limit`, which are clipped.
double clipped_share(const Histogram& histogram, float limit);

}  // namespace vgg19::converter
