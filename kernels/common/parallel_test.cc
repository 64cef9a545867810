#include "kernels/common/parallel.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kernels/common/cpu_of_thread.h"
#include "kernels/common/openmp.h"
#include "kernels/common/thread_limit.h"
#include "kernels/isa/isa.h"

namespace vgg19::kernels {

namespace {

/// Counts without synchronisation, so that the thread sanitizer detects if two threads get the same index.
bool runs_each_index_once(int threads, std::size_t tasks) {
    std::vector<int> hits(tasks);
    parallel_for(threads, tasks, [&](std::size_t index) { ++hits[index]; });
    return std::count(hits.begin(), hits.end(), 1) == static_cast<std::ptrdiff_t>(tasks);
}

void check_each_index_runs_once() {
    for (int threads = 0; threads <= 8; ++threads) {
        for (std::size_t tasks = 0; tasks <= 20; ++tasks) {
            CAPTURE(threads);
            CAPTURE(tasks);
            CHECK(runs_each_index_once(threads, tasks));
        }
    }
    CHECK(runs_each_index_once(3, 100'000));
    CHECK(runs_each_index_once(100, 1000));  // more threads than CPUs, and than shares of a loop
    CHECK(runs_each_index_once(100, 70));
}

void check_workers(int threads, std::size_t tasks) {
    std::vector<int> hits(tasks);
    std::vector<std::atomic<int>> busy(static_cast<std::size_t>(threads));
    std::atomic<bool> shared = false;
    parallel_workers(threads, tasks, [&](std::size_t worker, std::size_t index) {
        if (busy.at(worker).fetch_add(1) != 0) shared = true;
        ++hits[index];
        busy[worker].fetch_sub(1);
    });
    CHECK(std::count(hits.begin(), hits.end(), 1) == static_cast<std::ptrdiff_t>(tasks));
    CHECK(!shared);
}

/// Calls body() on this thread and on `others` of the pool, at the same time.
template <class Body>
void on_each_thread(std::size_t others, Body body) {
    std::atomic<std::size_t> arrived = 0;
    parallel_for(static_cast<int>(others + 1), others + 1, [&](std::size_t) {
        ++arrived;
        while (arrived <= others) std::this_thread::yield();
        body();
    });
}

/// Waits until `condition` holds, but not for ever: false if it does not.
template <class Condition>
bool wait_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

/// Whether a child of fork can start threads here. The thread sanitizer's cannot, ever; qemu-user's fails by
/// chance, when a new thread gets the number of one that the parent had, so script/test tells.
bool child_can_start_threads() {
    if (std::getenv("VGG19_TEST_UNDER_QEMU") != nullptr) return false;
    std::atomic<bool> started = false;
    std::atomic<bool> finished = false;
    std::thread other([&] {
        started = true;
        started.notify_one();
        finished.wait(false);
    });
    started.wait(false);  // before it runs, the process may count as one without threads
    const pid_t child = fork();
    if (child == 0) {
        std::thread([] {}).join();
        _exit(0);
    }
    int status = -1;
    const bool can = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    finished = true;
    finished.notify_one();
    other.join();
    return can;
}

std::size_t threads_of_loop(int threads) {
    std::vector<std::thread::id> ids(16);
    parallel_for(threads, ids.size(), [&](std::size_t index) { ids[index] = std::this_thread::get_id(); });
    return std::set(ids.begin(), ids.end()).size();
}

}  // namespace

TEST_CASE("parallel_for runs each index once") {
    check_each_index_runs_once();
    // Workers that have gone to sleep in between.
    for (int round = 0; round < 20; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(runs_each_index_once(3, 50));
    }
}

TEST_CASE("parallel_for runs each index once on OpenMP's threads") {
    const OpenMpThreads threads(3);
    check_each_index_runs_once();
    check_workers(3, 100);
}

TEST_CASE("parallel_workers runs each index once, and no worker twice at a time") {
    for (const int threads : {1, 2, 3, 8, 100}) {
        for (const std::size_t tasks : {0U, 1U, 5U, 100U}) check_workers(threads, tasks);
    }
}

TEST_CASE("one thread runs tasks in order") {
    std::vector<std::size_t> order;
    parallel_workers(1, 5, [&](std::size_t worker, std::size_t index) {
        CHECK(worker == 0);
        order.push_back(index);
    });
    CHECK(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("parallel_for can be called from several threads at once, and from a task") {
    std::vector<std::thread> callers;
    std::atomic<int> wrong = 0;
    for (int caller = 0; caller < 6; ++caller) {
        callers.emplace_back([&, caller] {
            for (std::size_t round = 0; round < 200; ++round) {
                if (!runs_each_index_once(caller % 4 + 1, round)) ++wrong;
                std::atomic<int> hits = 0;
                parallel_for(3, 5, [&](std::size_t) { parallel_for(3, 7, [&](std::size_t) { ++hits; }); });
                if (hits != 35) ++wrong;
            }
        });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
}

TEST_CASE("a thread that does not get on keeps few tasks from the others") {
    constexpr std::size_t tasks = 160;
    constexpr std::size_t kept = tasks / 2 / 16;  // of its half
    const std::thread::id caller = std::this_thread::get_id();
    for (int round = 0; round < 20; ++round) {
        std::atomic<std::size_t> done = 0;
        std::atomic<bool> stuck = false;
        std::atomic<bool> others_got_on = true;
        parallel_for(2, tasks, [&](std::size_t) {
            // The second thread does not get on before all is done that it has not begun.
            if (std::this_thread::get_id() == caller) {
                others_got_on = others_got_on && wait_until([&] { return stuck.load(); });
            } else if (!stuck.exchange(true)) {
                others_got_on = wait_until([&] { return done >= tasks - kept; });
            }
            ++done;
        });
        CHECK(others_got_on);
        CHECK(done == tasks);
    }
}

TEST_CASE("nobody waits for threads that are busy with another loop") {
    std::atomic<bool> finished = false;
    std::atomic<int> begun = 0;
    std::atomic<bool> waited_for = false;
    std::thread other([&] {
        parallel_for(3, 3, [&](std::size_t) {
            ++begun;
            if (!wait_until([&] { return finished.load(); })) waited_for = true;
        });
    });
    while (begun == 0) std::this_thread::yield();
    CHECK(runs_each_index_once(3, 100));
    finished = true;
    other.join();
    CHECK(!waited_for);
}

TEST_CASE("parallel_for takes no more threads than it is given") {
    for (int threads = 1; threads <= 4; ++threads) {
        CHECK(threads_of_loop(threads) <= static_cast<std::size_t>(threads));
    }
}

TEST_CASE("a limit holds for the thread that made it, as long as it lives") {
    {
        const ThreadLimit limit(2);
        CHECK(ThreadLimit::apply(4) == 2);
        CHECK(threads_of_loop(4) <= 2);
        {
            const ThreadLimit inner(1);
            CHECK(threads_of_loop(4) == 1);
            CHECK(ThreadLimit::apply(0) == 0);
        }
        CHECK(ThreadLimit::apply(4) == 2);
        std::thread([] { CHECK(ThreadLimit::apply(4) == 4); }).join();
    }
    CHECK(ThreadLimit::apply(4) == 4);
}

TEST_CASE("workers have a name, and leave signals to the program's own threads") {
    const pthread_t caller = pthread_self();
    std::atomic<int> workers = 0;
    std::atomic<int> wrong = 0;
    on_each_thread(2, [&] {
        if (pthread_equal(caller, pthread_self()) != 0) return;
        ++workers;
        char name[16] = "";
        sigset_t blocked;
        pthread_getname_np(pthread_self(), name, sizeof name);
        pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
        if (std::string(name) != "vgg19 worker" || sigismember(&blocked, SIGINT) != 1) ++wrong;
        if (sigismember(&blocked, SIGBUS) != 0) ++wrong;  // its own: a mapped file that is cut short
    });
    CHECK(workers == 2);
    CHECK(wrong == 0);
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    CHECK(sigismember(&blocked, SIGINT) == 0);
}

TEST_CASE("workers may use the CPUs of the process, also where OpenMP binds its threads") {
    const auto cpus_of_this_thread = [] {
        cpu_set_t mask;
        REQUIRE(sched_getaffinity(0, sizeof mask, &mask) == 0);
        return static_cast<std::size_t>(CPU_COUNT(&mask));
    };
    const std::size_t bound = cpus_dealt_out_by_openmp().size();
    const std::size_t expected = bound == 0 ? cpus_of_this_thread() : bound;
    const pthread_t caller = pthread_self();
    std::atomic<int> wrong = 0;
    on_each_thread(2, [&] {
        if (pthread_equal(caller, pthread_self()) == 0 && cpus_of_this_thread() != expected) ++wrong;
    });
    CHECK(wrong == 0);
}

#ifdef __linux__
TEST_CASE("a thread that leaves a CPU goes to another, and may run where it might before") {
    cpu_set_t before;
    REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
    bool moved = false;
    for (int round = 0; round < 100 && !moved; ++round) {
        const int cpu = current_cpu();
        leave_cpu(cpu);
        moved = current_cpu() != cpu;
    }
    CHECK(moved == (CPU_COUNT(&before) > 1));
    cpu_set_t after;
    REQUIRE(sched_getaffinity(0, sizeof after, &after) == 0);
    CHECK(CPU_EQUAL(&before, &after));
}
#endif

TEST_CASE("a child of fork has threads of its own") {
    if (!child_can_start_threads()) {
        MESSAGE("skipped: this environment starts no thread in a child of fork (the thread sanitizer, qemu)");
        return;
    }
    std::atomic<bool> finished = false;
    std::thread other([&] {
        while (!finished) parallel_for(3, 30, [](std::size_t) {});
    });
    for (int round = 0; round < 20; ++round) {
        CHECK(runs_each_index_once(3, 50));
        const pid_t child = fork();
        if (child == 0) {
            bool right = runs_each_index_once(3, 50);
            on_each_thread(2, [] {});
            right = right && runs_each_index_once(5, 50);
            _exit(right ? 0 : 1);
        }
        REQUIRE(child > 0);
        int status = -1;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    finished = true;
    other.join();
}

}  // namespace vgg19::kernels
