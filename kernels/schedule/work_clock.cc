#include "kernels/schedule/work_clock.h"

#include <utility>

namespace vgg19::kernels {

std::atomic<bool> WorkClock::on_ = false;
std::atomic<std::int64_t> WorkClock::nanoseconds_[work_count] = {};
std::vector<WorkSeconds> WorkClock::laps_;

void WorkClock::start() {
    for (auto& nanoseconds : nanoseconds_) nanoseconds = 0;
    laps_.clear();
    on_ = true;
}

void WorkClock::lap() {
    if (!is_on()) return;
    WorkSeconds lap;
    for (std::size_t work = 0; work < work_count; ++work) {
        lap.of[work] = static_cast<double>(nanoseconds_[work].exchange(0)) * 1e-9;
    }
    laps_.push_back(lap);
}

std::vector<WorkSeconds> WorkClock::stop() {
    on_ = false;
    return std::exchange(laps_, {});
}

void WorkTimer::count() const {
    const auto taken = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin_);
    WorkClock::nanoseconds_[static_cast<std::size_t>(work_)].fetch_add(taken.count(),
                                                                       std::memory_order_relaxed);
}

}  // namespace vgg19::kernels
