#include "tools/style/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vgg19::tools {

namespace {

// The constants of the Wolfe conditions that the book advises for quasi-Newton methods.
constexpr double sufficient_decrease = 1e-4;
constexpr double curvature_share = 0.9;

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

/// to += factor · from
void add(std::span<float> to, double factor, std::span<const float> from) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] = static_cast<float>(static_cast<double>(to[i]) + factor * static_cast<double>(from[i]));
    }
}

/// The minimum of the cubic that has these values and slopes at a and b (equation 3.59), kept within [least,
/// most]; their middle if there is none.
double cubic_minimum(double a, double a_value, double a_slope, double b, double b_value, double b_slope,
                     double least, double most) {
    const double d1 = a_slope + b_slope - 3 * (a_value - b_value) / (a - b);
    const double under_root = d1 * d1 - a_slope * b_slope;
    double t = (least + most) / 2;
    if (under_root >= 0) {
        const double d2 = std::copysign(std::sqrt(under_root), b - a);
        t = b - (b - a) * (b_slope + d2 - d1) / (b_slope - a_slope + 2 * d2);
    }
    return std::isfinite(t) ? std::clamp(t, least, most) : (least + most) / 2;
}

}  // namespace

Lbfgs::Lbfgs(Objective objective, std::vector<float> start, const LbfgsOptions& options)
    : objective_(std::move(objective)), options_(options), x_(std::move(start)), gradient_(x_.size()) {
    value_ = objective_(x_, gradient_);
    ++evaluations_;
}

std::vector<float> Lbfgs::direction() const {
    std::vector<float> direction(gradient_.size());
    std::transform(gradient_.begin(), gradient_.end(), direction.begin(), std::negate<>());
    std::vector<double> shares(history_.size());
    for (std::size_t i = history_.size(); i-- > 0;) {
        const Pair& pair = history_[i];
        shares[i] = dot(pair.step, direction) / pair.curvature;
        add(direction, -shares[i], pair.change);
    }
    if (!history_.empty()) {
        const Pair& newest = history_.back();
        const double scale = newest.curvature / dot(newest.change, newest.change);  // equation 7.20
        for (float& element : direction) element = static_cast<float>(static_cast<double>(element) * scale);
    }
    for (std::size_t i = 0; i < history_.size(); ++i) {
        const Pair& pair = history_[i];
        add(direction, shares[i] - dot(pair.change, direction) / pair.curvature, pair.step);
    }
    return direction;
}

double Lbfgs::first_t(std::span<const float> direction) const {
    if (!history_.empty()) return 1;  // the step of Newton's method
    const double norm = std::sqrt(dot(direction, direction));
    return options_.first_change * std::sqrt(static_cast<double>(direction.size())) / norm;
}

Lbfgs::Trial Lbfgs::trial(std::span<const float> direction, double t) {
    std::vector<float> point = x_;
    add(point, t, direction);
    Trial trial = {.t = t, .value = 0, .slope = 0, .gradient = std::vector<float>(x_.size())};
    trial.value = objective_(point, trial.gradient);
    trial.slope = dot(trial.gradient, direction);
    ++evaluations_;
    return trial;
}

bool Lbfgs::decreases(const Trial& trial, double slope) const {
    return trial.value <=
           value_ + sufficient_decrease * trial.t * slope;  // false for a value that is no number
}

Lbfgs::Trial Lbfgs::search(std::span<const float> direction, double slope) {
    Trial before = {.t = 0, .value = value_, .slope = slope, .gradient = gradient_};
    double t = first_t(direction);
    for (std::size_t used = 1; used <= options_.most_evaluations; ++used) {
        Trial now = trial(direction, t);
        if (!decreases(now, slope) || (used > 1 && now.value >= before.value)) {
            return zoom(direction, slope, std::move(before), std::move(now), used);
        }
        if (std::abs(now.slope) <= -curvature_share * slope) return now;
        if (now.slope >= 0) return zoom(direction, slope, std::move(now), std::move(before), used);
        // Further: where the cubic has its minimum, but neither a hair nor a world away.
        constexpr double hair = 0.01;
        constexpr double world = 10;
        t = cubic_minimum(before.t, before.value, before.slope, now.t, now.value, now.slope,
                          now.t + hair * (now.t - before.t), now.t * world);
        before = std::move(now);
    }
    return before;
}

Lbfgs::Trial Lbfgs::zoom(std::span<const float> direction, double slope, Trial low, Trial high,
                         std::size_t used) {
    constexpr double margin = 0.1;  // of the bracket, so that it shrinks
    for (; used < options_.most_evaluations; ++used) {
        const double width = std::abs(high.t - low.t);
        const double from = std::min(low.t, high.t);
        const bool high_is_finite = std::isfinite(high.value) && std::isfinite(high.slope);
        const double t = high_is_finite
                             ? cubic_minimum(low.t, low.value, low.slope, high.t, high.value, high.slope,
                                             from + margin * width, from + (1 - margin) * width)
                             : from + width / 2;
        if (t == low.t || t == high.t) break;  // the bracket is empty
        Trial now = trial(direction, t);
        if (!decreases(now, slope) || now.value >= low.value) {
            high = std::move(now);
            continue;
        }
        if (std::abs(now.slope) <= -curvature_share * slope) return now;
        if (now.slope * (high.t - low.t) >= 0) high = std::move(low);
        low = std::move(now);
    }
    return low;
}

void Lbfgs::accept(std::span<const float> direction, Trial&& trial) {
    Pair pair;
    pair.step.assign(direction.begin(), direction.end());
    for (float& element : pair.step) element = static_cast<float>(static_cast<double>(element) * trial.t);
    pair.change = trial.gradient;
    add(pair.change, -1, gradient_);
    pair.curvature = dot(pair.step, pair.change);
    add(x_, trial.t, direction);
    gradient_ = std::move(trial.gradient);
    value_ = trial.value;
    // Without positive curvature the direction would not lead downwards.
    constexpr double least_share = 1e-10;
    if (pair.curvature <= least_share * dot(pair.change, pair.change)) return;
    history_.push_back(std::move(pair));
    if (history_.size() > options_.history) history_.pop_front();
}

bool Lbfgs::step() {
    while (true) {
        const std::vector<float> downwards = direction();
        const double slope = dot(gradient_, downwards);
        Trial found;
        if (slope < 0) found = search(downwards, slope);
        if (found.t > 0 && found.value < value_) {
            accept(downwards, std::move(found));
            return true;
        }
        if (history_.empty()) return false;
        history_.clear();  // it may mislead: try along the gradient
    }
}

}  // namespace vgg19::tools
