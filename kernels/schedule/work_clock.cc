#include "kernels/schedule/work_clock.h"

#include <utility>

namespace vgg19::kernels {

std::atomic<bool> WorkClock::enabled = false;
std::atomic<std::int64_t> WorkClock::nanoseconds[work_count] = {};
std::vector<WorkSeconds> WorkClock::laps;

void WorkClock::start() {
    for (auto& counted : nanoseconds) counted = 0;
    laps.clear();
    enabled = true;
}

void WorkClock::lap() {
    if (!is_on()) return;
    WorkSeconds lap;
    for (std::size_t work = 0; work < work_count; ++work) {
        lap.of[work] = static_cast<double>(nanoseconds[work].exchange(0)) * 1e-9;
    }
    laps.push_back(lap);
}

std::vector<WorkSeconds> WorkClock::stop() {
    enabled = false;
    return std::exchange(laps, {});
}

void WorkTimer::count() const {
    const auto taken = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin_);
    WorkClock::nanoseconds[static_cast<std::size_t>(work_)].fetch_add(taken.count(),
                                                                      std::memory_order_relaxed);
}

}  // namespace vgg19::kernels
