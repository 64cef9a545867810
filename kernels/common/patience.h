// How long a thread watches a word before it sleeps.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "kernels/common/futex.h"

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

namespace vgg19::kernels {

/// Tells the processor that this thread only waits.
inline void pause_briefly() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/// Waits for another thread first by watching, which takes a CPU, then by sleeping, which takes time to wake
/// up. Watches for about as long as waits have lately taken: on a busy machine the other thread may need this
/// CPU.
class Patience {
  public:
    /// Waits while `word` is `value`, and returns what it has become. Before the thread sleeps, `value`
    /// becomes `asleep`; whoever changes that has to call futex_wake.
    std::uint32_t wait_while(std::atomic<std::uint32_t>& word, std::uint32_t value, std::uint32_t asleep) {
        std::uint32_t found = word.load(std::memory_order_acquire);
        if (found != value) return found;
        const Clock::time_point start = Clock::now();
        if ((found = watch(word, value, start)) == value &&
            word.compare_exchange_strong(found, asleep, std::memory_order_acquire)) {
            found = asleep;
            while (found == asleep) {
                futex_wait(word, asleep);
                found = word.load(std::memory_order_acquire);
            }
        }
        limit_ =
            Clock::now() - start < longest ? std::min(2 * limit_, longest) : std::max(limit_ / 2, shortest);
        return found;
    }

  private:
    using Clock = std::chrono::steady_clock;
    using Duration = std::chrono::nanoseconds;
    static constexpr Duration shortest{1'000};
    static constexpr Duration longest{100'000};
    /// If two looks at the clock are this far apart, the thread did not run in between.
    static constexpr Duration interrupted{50'000};

    std::uint32_t watch(const std::atomic<std::uint32_t>& word, std::uint32_t value,
                        Clock::time_point start) const {
        constexpr int looks_per_time = 8;
        Clock::time_point last = start;
        while (true) {
            for (int look = 0; look < looks_per_time; ++look) {
                const std::uint32_t found = word.load(std::memory_order_acquire);
                if (found != value) return found;
                pause_briefly();
            }
            const Clock::time_point now = Clock::now();
            if (now - start > limit_ || now - last > interrupted) return value;
            last = now;
        }
    }

    Duration limit_ = longest;
};

}  // namespace vgg19::kernels
