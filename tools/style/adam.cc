#include "tools/style/adam.h"

#include <cmath>
#include <utility>

namespace vgg19::tools {

Adam::Adam(Objective objective, std::vector<float> start, double rate)
    : objective_(std::move(objective)),
      rate_(rate),
      x_(std::move(start)),
      gradient_(x_.size()),
      first_moment_(x_.size()),
      second_moment_(x_.size()) {}

double Adam::step() {
    constexpr double beta1 = 0.9;
    constexpr double beta2 = 0.999;
    constexpr double epsilon = 1e-8;
    const double value = objective_(x_, gradient_);
    ++steps_;
    const double first_scale = 1 / (1 - std::pow(beta1, steps_));
    const double second_scale = 1 / (1 - std::pow(beta2, steps_));
    for (std::size_t i = 0; i < x_.size(); ++i) {
        const auto g = static_cast<double>(gradient_[i]);
        const double first = beta1 * static_cast<double>(first_moment_[i]) + (1 - beta1) * g;
        const double second = beta2 * static_cast<double>(second_moment_[i]) + (1 - beta2) * g * g;
        first_moment_[i] = static_cast<float>(first);
        second_moment_[i] = static_cast<float>(second);
        x_[i] =
            static_cast<float>(static_cast<double>(x_[i]) -
                               rate_ * first * first_scale / (std::sqrt(second * second_scale) + epsilon));
    }
    return value;
}

}  // namespace vgg19::tools
