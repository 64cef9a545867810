// The learning rate over a training run.
#pragma once

#include <cstdint>
#include <optional>

namespace vgg19::converter {

enum class ScheduleKind : unsigned char { constant, cosine, step };

struct Schedule {
    ScheduleKind kind = ScheduleKind::cosine;
    double learning_rate = 1e-4;  ///< the highest
    /// Steps of linear increase at the start; unset means a twentieth of all. Adam's first steps have full
    /// length for every weight, however small its gradient, and would destroy part of what a model has
    /// learned.
    std::optional<std::uint64_t> warmup;
};

/// The rate of `step` (counted from 0) of `steps`. After the warm-up, t in [0, 1) is the completed share of
/// the remaining steps: constant; cosine: learning_rate · (1 + cos πt) / 2 (Loshchilov and Hutter, 2017);
/// step: a tenth from t = 1/2 on, a hundredth from t = 3/4 on.
double learning_rate_at(const Schedule& schedule, std::uint64_t step, std::uint64_t steps);

}  // namespace vgg19::converter
