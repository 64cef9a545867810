#include "kernels/common/parallel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <utility>

#include "kernels/common/callers_threads.h"
#include "kernels/common/openmp.h"
#include "kernels/common/thread_limit.h"
#include "kernels/common/thread_pool.h"

namespace vgg19::kernels {

namespace {

/// The tasks of a range that nobody has begun. Its owner takes them from the front, others from the back.
class alignas(128) Share {  // what one thread writes is not fetched with what another does
  public:
    void set(const Range& range) {
        first_ = range.begin;
        rest_.store(packed({0, range.end - range.begin}), std::memory_order_relaxed);
    }

    Range take_front() {
        return take([](const Range& rest, std::size_t count) {
            return Range{rest.begin, rest.begin + count};
        });
    }
    Range take_back() {
        return take([](const Range& rest, std::size_t count) { return Range{rest.end - count, rest.end}; });
    }

  private:
    // Both ends in one word, relative to first_.
    static std::uint64_t packed(const Range& range) {
        return static_cast<std::uint64_t>(range.begin) << 32U | range.end;
    }
    static Range unpacked(std::uint64_t word) { return {word >> 32U, word & 0xFFFFFFFFU}; }

    /// Few tasks at a time, and fewer towards the end: a thread that has to leave its CPU to another program
    /// keeps those that it has taken. Empty if none are left.
    template <class Choose>
    Range take(Choose choose) {
        constexpr std::size_t takes = 16;
        std::uint64_t word = rest_.load(std::memory_order_relaxed);
        while (true) {
            const Range rest = unpacked(word);
            const std::size_t size = rest.end - rest.begin;
            if (size == 0) return {};
            const Range taken = choose(rest, (size + takes - 1) / takes);
            const Range left =
                taken.begin == rest.begin ? Range{taken.end, rest.end} : Range{rest.begin, taken.begin};
            if (rest_.compare_exchange_weak(word, packed(left), std::memory_order_relaxed)) {
                return {first_ + taken.begin, first_ + taken.end};
            }
        }
    }

    std::size_t first_ = 0;
    std::atomic<std::uint64_t> rest_ = 0;
};

/// A loop, divided into shares: one for each participant, or for each few of very many.
class Loop {
  public:
    Loop(std::size_t participants, std::size_t tasks, detail::Task task, void* context)
        : task_(task), context_(context), count_(std::min(participants, shares_.size())) {
        for (std::size_t i = 0; i < count_; ++i) shares_[i].set(part_of(tasks, count_, i));
    }

    /// Does not throw, since it runs on threads that know nothing of exceptions: the pool's, OpenMP's, a
    /// caller's.
    void take_part(std::size_t participant) noexcept {
        try {
            run_tasks(participant);
        } catch (...) {
            if (!failed_.exchange(true, std::memory_order_relaxed)) failure_ = std::current_exception();
        }
    }

    /// Call it when nobody takes part any more.
    void rethrow_failure() {
        if (failure_) std::rethrow_exception(std::move(failure_));
    }

  private:
    /// First the tasks of this participant's share, in order, then what others have not begun.
    void run_tasks(std::size_t participant) {
        const std::size_t own = participant % count_;
        run(participant, [&] { return shares_[own].take_front(); });
        for (std::size_t i = 1; i < count_; ++i) {
            Share& share = shares_[(own + i) % count_];
            run(participant, [&] { return share.take_back(); });
        }
    }

    template <class Take>
    void run(std::size_t participant, Take take) const {
        for (Range range = take(); range.begin < range.end; range = take()) {
            for (std::size_t index = range.begin; index < range.end; ++index) {
                if (failed_.load(std::memory_order_relaxed)) return;
                task_(context_, participant, index);
            }
        }
    }

    detail::Task task_;
    void* context_;
    std::atomic<bool> failed_ = false;
    std::exception_ptr failure_;  ///< of the thread that has set failed_
    std::array<Share, 64> shares_;
    std::size_t count_;
};

}  // namespace

void detail::run_tasks(int threads, std::size_t tasks, Task task, void* context) {
    const auto wanted = static_cast<std::size_t>(std::max(ThreadLimit::apply(threads), 1));
    const std::size_t participants = std::min({wanted, tasks, most_participants});
    if (participants <= 1 || tasks > std::numeric_limits<std::uint32_t>::max()) {
        for (std::size_t index = 0; index < tasks; ++index) task(context, 0, index);
        return;
    }
    Loop loop(participants, tasks, task, context);
    constexpr ParticipantFunction take_part = [](void* shared, std::size_t participant) {
        static_cast<Loop*>(shared)->take_part(participant);
    };
    if (!run_on_callers_threads(participants, take_part, &loop) && !run_on_openmp(wanted, take_part, &loop)) {
        run_on_pool(participants, take_part, &loop);
    }
    loop.rethrow_failure();
}

}  // namespace vgg19::kernels
