// Parallel loops. Only this code knows whether threads come from OpenMP or std::thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace vgg19::kernels {

/// The number of CPUs that this process may use: those in the affinity mask, limited by the control group's
/// quota; at least 1.
int available_cpus();

namespace detail {
using Task = void (*)(void* context, std::size_t index);
void run_tasks(int threads, std::size_t tasks, Task task, void* context);
/// The number of CPUs if OpenMP binds each thread to one (OMP_PROC_BIND), since the calling thread's affinity
/// mask is then only its own share. 0 if threads are not bound.
int cpus_dealt_out_to_threads();
}  // namespace detail

/// Calls body(index) once for each index in [0, tasks), on at most `threads` threads, and returns when all
/// are done. Each thread gets a contiguous range of nearly equal length. The result of an index must not
/// depend on its thread; then results are the same for every number of threads. `body` must not throw.
/// Allocates nothing.
template <class Body>
void parallel_for(int threads, std::size_t tasks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    detail::run_tasks(
        threads, tasks, [](void* context, std::size_t index) { (*static_cast<Plain*>(context))(index); },
        const_cast<void*>(static_cast<const void*>(&body)));
}

/// Calls body(worker, index) once for each index in [0, tasks), like parallel_for. But each worker (0, 1, …,
/// at most `threads`) takes the next index when it has finished one: for few, long tasks on cores that other
/// programs may also use. A worker never runs two calls at once, so it can own memory.
template <class Body>
void parallel_workers(int threads, std::size_t tasks, Body&& body) {
    std::atomic<std::size_t> next = 0;
    parallel_for(threads, static_cast<std::size_t>(threads), [&](std::size_t worker) {
        for (std::size_t index = next++; index < tasks; index = next++) body(worker, index);
    });
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

/// Sets the number of threads of a library with its own OpenMP loops (oneDNN) when called from this thread,
/// and restores the old number at the end. Does nothing in a build without OpenMP.
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
