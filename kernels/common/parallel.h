// Parallel loops, on the threads of kernels/common/thread_pool.h, or on a caller's (callers_threads.h).
#pragma once

#include <cstddef>
#include <type_traits>

namespace vgg19::kernels {

/// The number of CPUs that this process may use: those in the affinity mask, limited by the control group's
/// quota; at least 1.
int available_cpus();

namespace detail {
using Task = void (*)(void* context, std::size_t participant, std::size_t index);
void run_tasks(int threads, std::size_t tasks, Task task, void* context);
}  // namespace detail

/// Calls body(worker, index) once for each index in [0, tasks), on at most `threads` threads, and returns
/// when all are done. Workers are numbered from 0 (the calling thread) to below `threads`; one never runs two
/// calls at once, so it can own memory. Each begins with a contiguous range of nearly equal length, the same
/// for every loop of as many tasks, whose data may be in its caches, and takes tasks in order; when it has
/// done these, it helps others. So the time of a loop does not depend on a thread that has to share its CPU
/// with another program, nor on tasks of unequal length. A result must not depend on its worker; then results
/// are the same for every number of threads. All calls have the calling thread's floating-point mode.
///
/// When a call throws, no thread begins another one; when those that run have returned, the first exception
/// leaves the loop on the calling thread, and which tasks were done is unknown. Allocates nothing, except to
/// start threads; where the system refuses threads or memory for them, fewer take part.
template <class Body>
void parallel_workers(int threads, std::size_t tasks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    detail::run_tasks(
        threads, tasks,
        [](void* context, std::size_t worker, std::size_t index) {
            (*static_cast<Plain*>(context))(worker, index);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
}

/// The same for a body(index) that needs no memory of its own.
template <class Body>
void parallel_for(int threads, std::size_t tasks, Body&& body) {
    parallel_workers(threads, tasks, [&](std::size_t /*worker*/, std::size_t index) { body(index); });
}

/// Part `index` of [0, size) split into `parts`, in multiples of `granularity` (except at the end).
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

}  // namespace vgg19::kernels
