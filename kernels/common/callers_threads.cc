#include "kernels/common/callers_threads.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

#include "kernels/common/callers_function.h"
#include "kernels/common/thread_limit.h"

namespace vgg19::kernels {

namespace {

thread_local CallersThreads* current = nullptr;

/// One loop, on the stack of the thread that runs it.
class Job {
  public:
    Job(ParticipantFunction work, void* context, std::size_t threads)
        : work_(work), context_(context), threads_(threads), mode_(FloatingPointMode::current()) {}

    /// Each participant takes part once, whatever the caller's function does: it owns memory.
    void take_part(std::size_t participant) {
        if (participant >= threads_ || !claim(participant)) return;
        const FloatingPointMode own_mode = FloatingPointMode::current();
        const ThreadLimit no_loops_inside(1);
        mode_.apply();
        work_(context_, participant);
        own_mode.apply();
    }

    void take_part_as_anyone() {
        for (std::size_t participant = 0; participant < threads_; ++participant) {
            if (!claim(participant)) continue;
            work_(context_, participant);
            return;  // nothing is left
        }
    }

    const FloatingPointMode& mode() const { return mode_; }

  private:
    bool claim(std::size_t participant) {
        const std::uint64_t bit = std::uint64_t{1} << participant % 64;
        return (claimed_[participant / 64].fetch_or(bit, std::memory_order_relaxed) & bit) == 0;
    }

    ParticipantFunction work_;
    void* context_;
    std::size_t threads_;
    FloatingPointMode mode_;
    std::array<std::atomic<std::uint64_t>, most_participants / 64> claimed_{};
};

}  // namespace

CallersThreads::CallersThreads(const ParallelFor& function)
    : function_(&function),
      callers_mode_(FloatingPointMode::current()),
      outer_(std::exchange(current, this)) {}

CallersThreads::~CallersThreads() {
    current = outer_;
}

void CallersThreads::rethrow() {
    if (current == nullptr || current->failure_ == nullptr) return;
    throw CallersException{std::exchange(current->failure_, nullptr)};
}

void CallersThreads::run(std::size_t threads, ParticipantFunction work, void* context) {
    Job job(work, context, threads);
    if (failure_ == nullptr) {
        callers_mode_.apply();
        try {
            // Of one pointer, so that std::function allocates nothing.
            (*function_)(threads, [&job](std::size_t index) { job.take_part(index); });
        } catch (...) {
            failure_ = std::current_exception();
        }
        job.mode().apply();
    }
    job.take_part_as_anyone();
}

bool run_on_callers_threads(std::size_t threads, ParticipantFunction work, void* context) {
    if (current == nullptr || !*current->function_) return false;
    current->run(threads, work, context);
    return true;
}

}  // namespace vgg19::kernels
