// A caller's own threads for parallel loops, in place of the pool's.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>

#include "kernels/common/floating_point_mode.h"
#include "kernels/common/thread_pool.h"

namespace vgg19::kernels {

/// Calls `call(index)` once for each index in [0, count), on any threads, and returns when all these calls
/// have returned. `call` does not throw. The work is shared out among the calls that are running, so they may
/// also run one after another; one that comes a second time does nothing, and what is left when the function
/// returns is done on the thread that called it.
using ParallelFor =
    std::function<void(std::size_t count, const std::function<void(std::size_t index)>& call)>;

/// While this object exists, loops that start on the thread that made it run by `function`, or on the pool if
/// that is empty. Loops inside of their tasks stay on the task's thread, so that the function need not be
/// reentrant. The function runs in the floating-point mode that the thread has when this object is made; the
/// loops' tasks run in the loops' own.
///
/// What tasks throw leaves the loop, but not through the function. What the function itself throws does not
/// leave the loop: the rest of that loop and all later ones run on this thread alone, until rethrow().
class CallersThreads {
  public:
    /// `function` must outlive this object.
    explicit CallersThreads(const ParallelFor& function);
    ~CallersThreads();
    CallersThreads(const CallersThreads&) = delete;
    CallersThreads& operator=(const CallersThreads&) = delete;

    /// Throws CallersException (callers_function.h) with what the function of this thread's innermost
    /// CallersThreads has thrown, if it has, and forgets it.
    static void rethrow();

  private:
    friend bool run_on_callers_threads(std::size_t threads, ParticipantFunction work, void* context);
    void run(std::size_t threads, ParticipantFunction work, void* context);

    const ParallelFor* function_;
    FloatingPointMode callers_mode_;
    std::exception_ptr failure_;
    CallersThreads* outer_;
};

/// run_on_pool on a caller's threads. False, and nothing has run, if this thread has no function of a caller.
bool run_on_callers_threads(std::size_t threads, ParticipantFunction work, void* context);

}  // namespace vgg19::kernels
