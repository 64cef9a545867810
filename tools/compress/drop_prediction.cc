#include "tools/compress/drop_prediction.h"

#include <algorithm>
#include <cmath>

namespace vgg19::tools {

namespace {

constexpr double longest_reduction = 8;  // to a three-thousandth

/// Where a function that grows is `most`.
template <class Function>
double reach_of(const Function& function, double most) {
    constexpr int halvings = 40;
    if (function(0) > most) return 0;
    double low = 0;
    double high = longest_reduction;
    for (int i = 0; i < halvings; ++i) {
        const double middle = (low + high) / 2;
        (function(middle) <= most ? low : high) = middle;
    }
    return low;
}

}  // namespace

TwoTermFit::TwoTermFit(Belief constant, Belief slope)
    : information_{{1 / (constant.deviation * constant.deviation), 0},
                   {0, 1 / (slope.deviation * slope.deviation)}},
      weighed_{constant.mean * information_[0][0], slope.mean * information_[1][1]} {}

void TwoTermFit::add(double term, double value, double deviation) {
    const double weight = 1 / (deviation * deviation);
    information_[0][0] += weight;
    information_[0][1] += weight * term;
    information_[1][0] += weight * term;
    information_[1][1] += weight * term * term;
    weighed_[0] += weight * value;
    weighed_[1] += weight * value * term;
}

double TwoTermFit::constant() const {
    const auto& m = information_;
    return (m[1][1] * weighed_[0] - m[0][1] * weighed_[1]) / (m[0][0] * m[1][1] - m[0][1] * m[1][0]);
}

double TwoTermFit::slope() const {
    const auto& m = information_;
    return (m[0][0] * weighed_[1] - m[1][0] * weighed_[0]) / (m[0][0] * m[1][1] - m[0][1] * m[1][0]);
}

// Wide beliefs: INT8 alone costs about nothing and changes an answer of a hundred, a quarter of the work
// about a point and four more of a hundred.
DropPrediction::DropPrediction()
    : drop_({0.0005, 0.002}, {0.005, 0.01}), differing_({0.01, 0.01}, {0.03, 0.03}) {}

void DropPrediction::add(double reduction, const converter::PairedCounts& held_out) {
    // Half an image is added, so that a few images without a difference do not count as certainty.
    const double images = held_out.images;
    const double share = (held_out.only_reference_right + held_out.only_model_right + 0.5) / images;
    drop_.add(reduction * reduction, converter::drop(held_out), std::sqrt(share / images));
    differing_.add(reduction, share, std::sqrt(share / images));
}

double DropPrediction::drop(double reduction) const {
    // A gain that grows with the reduction is noise.
    return drop_.constant() + std::max(drop_.slope(), 0.0) * reduction * reduction;
}

double DropPrediction::differing(double reduction) const {
    return std::clamp(differing_.constant() + std::max(differing_.slope(), 0.0) * reduction, 0.0, 1.0);
}

double DropPrediction::upper_bound(double reduction, double images) const {
    const double lost = drop(reduction);
    const double both = std::max(differing(reduction), std::abs(lost));
    return converter::drop_upper_bound({(both + lost) / 2 * images, (both - lost) / 2 * images, images});
}

double DropPrediction::reach(double most) const {
    return reach_of([this](double reduction) { return drop(reduction); }, most);
}

double DropPrediction::safe_reach(double most, double images) const {
    return reach_of([&](double reduction) { return upper_bound(reduction, images); }, most);
}

}  // namespace vgg19::tools
