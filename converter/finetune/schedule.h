// How the learning rate goes over a training run.
#pragma once

#include <cstdint>
#include <optional>

namespace vgg19::converter {

enum class ScheduleKind : unsigned char { constant, cosine, step };

struct Schedule {
    ScheduleKind kind = ScheduleKind::cosine;
    double learning_rate = 1e-4;  ///< the highest
    /// Steps at the start in which it rises in equal parts; none: a twentieth of all. Adam's first steps are
    /// of full length in every weight, whatever its gradient, and undo some of what a model knows.
    std::optional<std::uint64_t> warmup;
};

/// The rate of `step` (from 0) of `steps`. After the warm-up, with t the share in [0, 1) of the other steps
/// that are done: constant; cosine: learning_rate · (1 + cos πt) / 2 (Loshchilov and Hutter, 2017); step: a
/// tenth of it from t = 1/2 on, a hundredth from t = 3/4 on.
double learning_rate_at(const Schedule& schedule, std::uint64_t step, std::uint64_t steps);

}  // namespace vgg19::converter
