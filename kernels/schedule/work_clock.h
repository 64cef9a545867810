// Where the time of a convolution's threads goes, for profiles: to its products or to its transforms. Off,
// and free, unless a profile is being taken.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vgg19::kernels {

/// What a thread of a convolution does.
enum class Work : unsigned char {
    input_transform,
    products,
    output_transform,  ///< with bias, ReLU, pool and requantisation
};
inline constexpr std::size_t work_count = 3;

/// The time of all threads together, by kind of work; 0 for work that is not timed apart.
struct WorkSeconds {
    double of[work_count] = {};
    double operator[](Work work) const { return of[static_cast<std::size_t>(work)]; }
};

/// The clock of this process. start(), lap() and stop() belong to one thread, while no timer runs.
class WorkClock {
  public:
    static bool is_on() { return enabled.load(std::memory_order_relaxed); }
    /// Timers count from now on, in laps that end with lap().
    static void start();
    /// Does nothing if the clock is off.
    static void lap();
    /// Turns the clock off, and returns what was counted in each lap.
    static std::vector<WorkSeconds> stop();

  private:
    friend class WorkTimer;
    static std::atomic<bool> enabled;
    static std::atomic<std::int64_t> nanoseconds[work_count];
    static std::vector<WorkSeconds> laps;
};

/// Adds the time of its life to the clock. For schedules, around each call of a kernel's step:
///
///   { const WorkTimer timer(Work::products); steps.products(…); }
class WorkTimer {
  public:
    explicit WorkTimer(Work work) : work_(work), on_(WorkClock::is_on()) {
        if (on_) begin_ = Clock::now();
    }
    ~WorkTimer() {
        if (on_) count();
    }
    WorkTimer(const WorkTimer&) = delete;
    WorkTimer& operator=(const WorkTimer&) = delete;

  private:
    using Clock = std::chrono::steady_clock;
    void count() const;

    Work work_;
    bool on_;
    Clock::time_point begin_{};
};

}  // namespace vgg19::kernels
