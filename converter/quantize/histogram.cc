#include "converter/quantize/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vgg19::converter {

namespace {

constexpr double percentile = 0.9999;

/// The centre of a bin, which represents its values.
double centre(const Histogram& histogram, std::size_t bin) {
    const double middle = (static_cast<double>(bin) + 0.5) * histogram.bin_width();
    return std::min(middle, static_cast<double>(histogram.largest()));
}

float percentile_limit(const Histogram& histogram) {
    const auto wanted = static_cast<double>(histogram.count()) * percentile;
    std::uint64_t below = 0;
    std::size_t bin = 0;
    while (static_cast<double>(below += histogram.counts()[bin]) < wanted) ++bin;
    const auto edge = static_cast<float>(static_cast<double>(bin + 1) * histogram.bin_width());
    return std::min(edge, histogram.largest());
}

/// Values below half a step become 0; those up to the limit are rounded, with a mean squared error of step² /
/// 12; those above become the limit.
double squared_error(const Histogram& histogram, double limit, int levels) {
    const double step = limit / levels;
    const double rounding = step * step / 12;
    double error = 0;
    for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
        const std::uint64_t count = histogram.counts()[bin];
        if (count == 0) continue;
        const double value = centre(histogram, bin);
        const double beyond = std::max(value - limit, 0.0);
        const double each = value < step / 2 ? value * value : rounding + beyond * beyond;
        error += static_cast<double>(count) * each;
    }
    return error;
}

float mse_limit(const Histogram& histogram, int levels) {
    constexpr int candidates = 256;
    float best = histogram.largest();
    double least = squared_error(histogram, static_cast<double>(best), levels);
    for (int i = candidates - 1; i > 0; --i) {
        const float limit = histogram.largest() * static_cast<float>(i) / candidates;
        const double error = squared_error(histogram, static_cast<double>(limit), levels);
        if (error >= least) continue;
        least = error;
        best = limit;
    }
    return best;
}

}  // namespace

void Histogram::grow(float magnitude) {
    int exponent = 0;
    std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
    set_exponent(exponent);
}

void Histogram::set_exponent(int exponent) {
    const auto shift = static_cast<unsigned>(std::min(exponent - exponent_, 63));
    std::array<std::uint64_t, bins> counts{};
    for (std::size_t bin = 0; bin < bins; ++bin) counts[bin >> shift] += counts_[bin];
    counts_ = counts;
    exponent_ = exponent;
    range_ = std::ldexp(1.0F, exponent);  // infinity for 2^128: above every float
    bins_per_unit_ = std::ldexp(static_cast<float>(bins), -exponent);
}

void Histogram::merge(const Histogram& other) {
    if (other.exponent_ > exponent_) set_exponent(other.exponent_);
    const auto shift = static_cast<unsigned>(std::min(exponent_ - other.exponent_, 63));
    for (std::size_t bin = 0; bin < bins; ++bin) counts_[bin >> shift] += other.counts_[bin];
    largest_ = std::max(largest_, other.largest_);
}

std::uint64_t Histogram::count() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

float choose_limit(const Histogram& histogram, RangeMethod method, int levels) {
    if (histogram.largest() == 0) return 0;
    switch (method) {
        case RangeMethod::percentile:
            return percentile_limit(histogram);
        case RangeMethod::mse:
            return mse_limit(histogram, levels);
        case RangeMethod::max:
            break;
    }
    return histogram.largest();
}

double clipped_share(const Histogram& histogram, float limit) {
    if (histogram.count() == 0) return 0;
    std::uint64_t above = 0;
    for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
        if (centre(histogram, bin) > static_cast<double>(limit)) above += histogram.counts()[bin];
    }
    return static_cast<double>(above) / static_cast<double>(histogram.count());
}

}  // namespace vgg19::converter
