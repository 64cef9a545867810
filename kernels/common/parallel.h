// Threads. The only place that knows whether they are OpenMP's or std::thread's.
#pragma once

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace vgg19::kernels {

/// The number of CPUs that this process may really use: those of the affinity mask, but no more than the
/// control group's quota allows; at least 1.
int available_cpus();

namespace detail {
using Task = void (*)(void* context, std::size_t index);
void run_tasks(int threads, std::size_t tasks, Task task, void* context);
/// The number of CPUs, where threads are bound to one each (OMP_PROC_BIND): the affinity mask of the calling
/// thread is only its own share then. 0 where they are not bound.
int cpus_dealt_out_to_threads();
}  // namespace detail

/// Calls body(index) once for each index in [0, tasks), on at most `threads` threads, and returns when all
/// are done. Indices are dealt out in contiguous runs of equal length. What an index computes must not depend
/// on the thread that does: then results are the same for every thread count. `body` must not throw.
/// Allocates nothing.
template <class Body>
void parallel_for(int threads, std::size_t tasks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    detail::run_tasks(
        threads, tasks, [](void* context, std::size_t index) { (*static_cast<Plain*>(context))(index); },
        const_cast<void*>(static_cast<const void*>(&body)));
}

/// Calls body(worker, index) once for each index in [0, tasks), as parallel_for does, but each worker (0, 1,
/// …, of at most `threads`) takes the next index when it is done with one: for tasks that are few and long,
/// on cores that others may use too. No two calls with the same worker run at once, so it can own memory.
template <class Body>
void parallel_workers(int threads, std::size_t tasks, Body&& body) {
    std::atomic<std::size_t> next = 0;
    parallel_for(threads, static_cast<std::size_t>(threads), [&](std::size_t worker) {
        for (std::size_t index = next++; index < tasks; index = next++) body(worker, index);
    });
}

/// The part of [0, size) that falls to `index` of `parts`, in multiples of `granularity` (but for the end).
struct Range {
    std::size_t begin;
    std::size_t end;
};
constexpr Range part_of(std::size_t size, std::size_t parts, std::size_t index, std::size_t granularity = 1) {
    const std::size_t units = (size + granularity - 1) / granularity;
    const std::size_t begin = units * index / parts * granularity;
    const std::size_t end = units * (index + 1) / parts * granularity;
    return {begin < size ? begin : size, end < size ? end : size};
}

/// Sets the number of threads that a library which runs on OpenMP by itself (oneDNN) uses when called from
/// this thread, and restores the old number at the end. Does nothing in a build without OpenMP.
class LibraryThreads {
  public:
    explicit LibraryThreads(int threads);
    ~LibraryThreads();  // NOLINT(performance-trivially-destructible): empty only without OpenMP
    LibraryThreads(const LibraryThreads&) = delete;
    LibraryThreads& operator=(const LibraryThreads&) = delete;

  private:
    [[maybe_unused]] int previous_;
};

}  // namespace vgg19::kernels
