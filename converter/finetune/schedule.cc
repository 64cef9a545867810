#include "converter/finetune/schedule.h"

#include <cmath>
#include <numbers>

namespace vgg19::converter {

double learning_rate_at(const Schedule& schedule, std::uint64_t step, std::uint64_t steps) {
    const std::uint64_t warmup = schedule.warmup.value_or(steps / 20);
    if (step < warmup) {
        return schedule.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
    }
    const double done = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
    switch (schedule.kind) {
        case ScheduleKind::constant:
            break;
        case ScheduleKind::cosine:
            return schedule.learning_rate * (1 + std::cos(std::numbers::pi * done)) / 2;
        case ScheduleKind::step:
            if (done < 0.5) break;
            return schedule.learning_rate / (done < 0.75 ? 10 : 100);
    }
    return schedule.learning_rate;
}

}  // namespace vgg19::converter
