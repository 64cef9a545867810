// Sleeping until another thread changes a word.
#pragma once

#include <atomic>
#include <cstdint>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace vgg19::kernels {

#ifdef __linux__
// std::atomic's wait gives up the CPU several times before it sleeps: on a busy CPU each time for a whole
// time slice of the other thread.
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

/// Sleeps while `word` is `value`, or less long.
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr, nullptr,
            0);
}
/// Wakes the thread that sleeps on `word`.
inline void futex_wake(std::atomic<std::uint32_t>& word) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
#else
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
    word.wait(value, std::memory_order_relaxed);
}
inline void futex_wake(std::atomic<std::uint32_t>& word) {
    word.notify_one();
}
#endif

}  // namespace vgg19::kernels
