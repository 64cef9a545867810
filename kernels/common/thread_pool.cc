#include "kernels/common/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

#include "kernels/common/cpu_of_thread.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"
#include "kernels/common/patience.h"

namespace vgg19::kernels {

namespace {

/// One call of run_on_pool, on its caller's stack.
struct Job {
    ParticipantFunction work;
    void* context;
    FloatingPointMode mode;
    int cpu;  ///< on which the caller runs, if the others should leave it; else -1
};

/// Participants [first, last) of a job. The thread that gets them takes part as `first`, and invites others
/// for the rest: so many threads are reached in few steps, and gathered again.
struct Participants {
    const Job* job;
    std::size_t first;
    std::size_t last;
};
constexpr std::size_t most_invited = 4;  // by one thread

enum State : std::uint32_t {
    idle,      ///< watches its word
    asleep,    ///< the same, but has to be woken
    reserved,  ///< somebody is writing an invitation for it
    invited,   ///< has not begun, and the invitation may be withdrawn
    running,
    awaited,  ///< running, and whoever invited it sleeps
    ended,    ///< for good
};
constexpr std::uint32_t states = 8;

/// A worker's word: its state, and how many invitations it has had, so that one who waits for the end of an
/// invitation is not deceived by the next.
constexpr std::uint32_t with_state(std::uint32_t word, State state) {
    return word / states * states + state;
}
constexpr State state_of(std::uint32_t word) {
    return static_cast<State>(word % states);
}
constexpr std::uint32_t next_invitation(std::uint32_t word) {
    return with_state(word + states, idle);
}

constexpr std::size_t distance = 128;  // bytes between what two threads write: lines are fetched in pairs

struct alignas(distance) Worker {
    std::atomic<std::uint32_t> word = idle;
    Participants invitation{};
    pthread_t thread{};
};

struct Invitation {
    Worker* worker = nullptr;
    std::uint32_t word = 0;  ///< in state `invited`
};

/// How long a thread watches those that it has invited.
thread_local Patience patience_for_others;

using Clock = std::chrono::steady_clock;

class Pool {
  public:
    /// Starts workers until there are `count`. Does nothing if another thread is doing it, or if the system
    /// has refused a thread or memory for it within the last second.
    void start(std::size_t count) noexcept;

    std::size_t started() const { return started_.load(std::memory_order_acquire); }

    /// Whether all that were invited were free.
    bool run(const Participants& participants);

    void end();

    /// In the child of a fork, where none of the threads exists.
    void forget();

  private:
    static void* live(void* worker);
    static bool start_one(Worker& worker);
    bool start_all(std::size_t count);
    Invitation invite(const Participants& participants);

    std::array<Worker, most_participants - 1> workers_{};
    std::atomic<Clock::rep> not_before_ = 0;  ///< when start() tries again, by Clock
    std::atomic<std::size_t> started_ = 0;
    std::atomic<bool> starting_ = false;
};

/// A new thread has the affinity mask of the thread that starts it, which OpenMP may have bound to one CPU.
void allow_cpus(pthread_t thread, const std::vector<int>& cpus) {
    const auto last = static_cast<std::size_t>(*std::max_element(cpus.begin(), cpus.end()));
    std::vector<cpu_set_t> mask(last / CPU_SETSIZE + 1);
    const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
    for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, mask.data());
    pthread_setaffinity_np(thread, bytes, mask.data());
}

constinit Pool pool;  // has no destructor: other threads may be in loops when the program ends

/// Ends the workers when the program ends, or when the library with this code is unloaded.
struct WorkersEnd {
    WorkersEnd() {
        // Without it the child would wait for threads that do not exist there.
        if (pthread_atfork(nullptr, nullptr, [] { pool.forget(); }) != 0) throw std::bad_alloc();
    }
    ~WorkersEnd() { pool.end(); }
    WorkersEnd(const WorkersEnd&) = delete;
    WorkersEnd& operator=(const WorkersEnd&) = delete;
};

bool Pool::run(const Participants& participants) {
    const Job& job = *participants.job;
    const std::size_t others = participants.last - participants.first - 1;
    const std::size_t groups = std::min(others, most_invited);
    std::array<Invitation, most_invited> invitations;
    bool all_free = true;
    for (std::size_t group = 0; group < groups; ++group) {
        const Range range = part_of(others, groups, group);
        const std::size_t first = participants.first + 1;
        invitations[group] = invite({&job, first + range.begin, first + range.end});
        all_free &= invitations[group].worker != nullptr;
    }

    job.work(job.context, participants.first);

    // Nobody waits for those that have not begun.
    for (std::size_t group = 0; group < groups; ++group) {
        auto& [worker, word] = invitations[group];
        if (worker == nullptr) continue;
        std::uint32_t expected = word;
        if (worker->word.compare_exchange_strong(expected, next_invitation(word),
                                                 std::memory_order_acquire)) {
            worker = nullptr;
        }
    }
    for (std::size_t group = 0; group < groups; ++group) {
        const auto& [worker, word] = invitations[group];
        if (worker == nullptr) continue;
        patience_for_others.wait_while(worker->word, with_state(word, running), with_state(word, awaited));
    }
    return all_free;
}

/// Prefers the same worker for a participant each time, whose caches may have what it needs.
Invitation Pool::invite(const Participants& participants) {
    const std::size_t count = started();
    const std::size_t preferred = participants.first - 1;
    for (std::size_t i = 0; i < count; ++i) {
        Worker& worker = workers_[(preferred + i) % count];
        std::uint32_t word = worker.word.load(std::memory_order_relaxed);
        const State state = state_of(word);
        if (state != idle && state != asleep) continue;
        if (!worker.word.compare_exchange_strong(word, with_state(word, reserved),
                                                 std::memory_order_acquire)) {
            continue;
        }
        worker.invitation = participants;
        word = with_state(word, invited);
        worker.word.store(word, std::memory_order_release);
        if (state == asleep) futex_wake(worker.word);
        return {&worker, word};
    }
    return {};
}

void* Pool::live(void* argument) {
    Worker& worker = *static_cast<Worker*>(argument);
    Patience patience;
    while (true) {
        std::uint32_t word = worker.word.load(std::memory_order_acquire);
        switch (state_of(word)) {
            case idle:
                patience.wait_while(worker.word, word, with_state(word, asleep));
                break;
            case invited: {
                if (!worker.word.compare_exchange_strong(word, with_state(word, running),
                                                         std::memory_order_acquire)) {
                    break;
                }
                const Participants participants = worker.invitation;
                leave_cpu(participants.job->cpu);
                participants.job->mode.apply();
                pool.run(participants);
                const std::uint32_t before =
                    worker.word.exchange(next_invitation(word), std::memory_order_acq_rel);
                if (state_of(before) == awaited) futex_wake(worker.word);
                break;
            }
            case ended:
                return nullptr;
            default:
                pause_briefly();
        }
    }
}

void Pool::start(std::size_t count) noexcept {
    count = std::min(count, workers_.size());
    if (started() >= count) return;
    const Clock::rep now = Clock::now().time_since_epoch().count();
    if (now < not_before_.load(std::memory_order_relaxed)) return;
    if (starting_.exchange(true, std::memory_order_acquire)) return;
    bool all = false;
    try {
        all = start_all(count);
    } catch (...) {  // no memory
    }
    constexpr Clock::duration pause = std::chrono::seconds(1);
    if (!all) not_before_.store(now + pause.count(), std::memory_order_relaxed);
    starting_.store(false, std::memory_order_release);
}

bool Pool::start_all(std::size_t count) {
    static const WorkersEnd workers_end;
    const std::vector<int> bound_cpus = cpus_dealt_out_by_openmp();
    for (std::size_t i = started(); i < count; ++i) {
        if (!start_one(workers_[i])) return false;
        started_.store(i + 1, std::memory_order_release);
        if (!bound_cpus.empty()) allow_cpus(workers_[i].thread, bound_cpus);
    }
    return true;
}

/// Signals are blocked in workers, so that the program's own threads handle them; except those that a
/// thread's own instruction causes, which would end the program if it could not handle them.
bool Pool::start_one(Worker& worker) {
    sigset_t all;
    sigset_t previous;
    sigfillset(&all);
    for (const int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP}) sigdelset(&all, own);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    const bool has_started = pthread_create(&worker.thread, nullptr, &Pool::live, &worker) == 0;
    pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    if (has_started) pthread_setname_np(worker.thread, "vgg19 worker");
    return has_started;
}

void Pool::end() {
    while (starting_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    for (std::size_t i = 0; i < started(); ++i) {
        Worker& worker = workers_[i];
        std::uint32_t word = worker.word.load(std::memory_order_relaxed);
        while (
            (state_of(word) != idle && state_of(word) != asleep) ||
            !worker.word.compare_exchange_strong(word, with_state(word, ended), std::memory_order_relaxed)) {
            std::this_thread::yield();
            word = worker.word.load(std::memory_order_relaxed);
        }
        futex_wake(worker.word);
        pthread_join(worker.thread, nullptr);
    }
}

void Pool::forget() {
    for (Worker& worker : workers_) worker.word.store(idle, std::memory_order_relaxed);
    started_.store(0, std::memory_order_relaxed);
    not_before_.store(0, std::memory_order_relaxed);
    starting_.store(false, std::memory_order_relaxed);
}

}  // namespace

void run_on_pool(std::size_t threads, ParticipantFunction work, void* context) {
    if (threads - 1 > pool.started()) pool.start(threads - 1);
    static const auto cpus = static_cast<std::size_t>(available_cpus());
    // With more threads than CPUs, threads have to share them.
    const Job job{work, context, FloatingPointMode::current(), threads <= cpus ? current_cpu() : -1};
    const bool all_free = pool.run({&job, 0, threads});
    if (all_free) return;
    // Several callers at once: from now on there is a worker for each CPU that has no caller.
    if (pool.started() + 1 < cpus) pool.start(cpus - 1);
}

}  // namespace vgg19::kernels
