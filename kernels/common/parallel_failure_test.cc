// Loops whose tasks throw, and threads that the system refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/common/callers_function.h"
#include "kernels/common/callers_threads.h"
#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"
#include "kernels/common/testing/no_new_threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace vgg19::kernels {

namespace {

using Call = std::function<void(std::size_t)>;

struct Failure {
    std::size_t task;
};

/// The task whose exception leaves a loop in which `fails(task)` throws; `tasks` if none does.
template <class Fails>
std::size_t failure_of_loop(int threads, std::size_t tasks, const Fails& fails) {
    try {
        parallel_for(threads, tasks, [&](std::size_t index) {
            if (fails(index)) throw Failure{index};
        });
    } catch (const Failure& failure) {
        return failure.task;
    }
    return tasks;
}

bool runs_each_index_once(int threads, std::size_t tasks) {
    std::vector<int> hits(tasks);
    parallel_for(threads, tasks, [&](std::size_t index) { ++hits[index]; });
    return std::count(hits.begin(), hits.end(), 1) == static_cast<std::ptrdiff_t>(tasks);
}

void check_exceptions_leave_loops() {
    for (const int threads : {1, 2, 3, 8, 100}) {
        for (const std::size_t tasks : {1U, 2U, 3U, 7U, 200U}) {
            CAPTURE(threads);
            CAPTURE(tasks);
            for (const std::size_t failing : {std::size_t{0}, tasks / 2, tasks - 1}) {
                CHECK(failure_of_loop(threads, tasks, [&](std::size_t i) { return i == failing; }) ==
                      failing);
            }
            CHECK(failure_of_loop(threads, tasks, [](std::size_t) { return true; }) < tasks);
            CHECK(failure_of_loop(threads, tasks, [](std::size_t) { return false; }) == tasks);
            CHECK(runs_each_index_once(threads, tasks));
        }
    }
}

void check_others_stop_early() {
    constexpr std::size_t tasks = 1000;
    std::atomic<bool> failed = false;
    std::atomic<int> late = 0;
    CHECK_THROWS_AS(parallel_for(3, tasks,
                                 [&](std::size_t index) {
                                     if (index == 0) {
                                         failed = true;
                                         throw Failure{index};
                                     }
                                     while (!failed) std::this_thread::yield();
                                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                                     ++late;
                                 }),
                    Failure);
    CHECK(late < 100);
}

void check_types_are_kept() {
    CHECK_THROWS_AS(parallel_for(3, 10, [](std::size_t) { throw std::bad_alloc(); }), std::bad_alloc);
    CHECK_THROWS_AS(parallel_for(3, 10, [](std::size_t) { throw CallersException{}; }), CallersException);
    CHECK_THROWS_WITH_AS(parallel_for(3, 10,
                                      [](std::size_t i) {
                                          if (i == 9) throw std::runtime_error("the ninth");
                                      }),
                         "the ninth", std::runtime_error);
    CHECK_THROWS_AS(parallel_workers(3, 10, [](std::size_t, std::size_t) { throw 7; }), int);
}

void check_inner_loops() {
    CHECK_THROWS_AS(parallel_for(3, 5,
                                 [](std::size_t outer) {
                                     parallel_for(3, 7, [&](std::size_t inner) {
                                         if (outer == 3 && inner == 5) throw Failure{inner};
                                     });
                                 }),
                    Failure);
    std::atomic<int> caught = 0;
    parallel_for(3, 5, [&](std::size_t) {
        if (failure_of_loop(3, 7, [](std::size_t inner) { return inner == 5; }) == 5) ++caught;
    });
    CHECK(caught == 5);
}

void check_all() {
    check_exceptions_leave_loops();
    check_others_stop_early();
    check_types_are_kept();
    check_inner_loops();
}

int workers() {
    int count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        if (name == "vgg19 worker") ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("an exception of a task leaves the loop, and others stop early") {
    check_all();
}

TEST_CASE("an exception of a task leaves the loop on OpenMP's threads") {
    const OpenMpThreads threads(3);
    check_all();
}

TEST_CASE("an exception of a task leaves the loop on a caller's threads, but not through their function") {
    std::atomic<int> returned = 0;
    const ParallelFor function = [&](std::size_t count, const Call& call) {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < count; ++i) threads.emplace_back([&call, i] { call(i); });
        call(0);
        ++returned;
    };
    const CallersThreads callers(function);
    check_all();
    CHECK(returned > 0);
    CHECK_NOTHROW(CallersThreads::rethrow());
}

TEST_CASE("an exception of a task leaves the loop where the caller's function fails too") {
    const ParallelFor function = [](std::size_t /*count*/, const Call& call) {
        call(0);
        throw std::runtime_error("the function's");
    };
    const CallersThreads callers(function);
    CHECK_THROWS_AS(parallel_for(3, 10, [](std::size_t index) { throw Failure{index}; }), Failure);
    CHECK_THROWS_AS(CallersThreads::rethrow(), CallersException);
}

TEST_CASE("several threads fail at once, each with its own exception") {
    std::vector<std::thread> callers;
    std::atomic<int> wrong = 0;
    for (std::size_t caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&, caller] {
            for (int round = 0; round < 100; ++round) {
                const std::size_t failing = 10 * caller + 1;
                if (failure_of_loop(3, 50, [&](std::size_t i) { return i == failing; }) != failing) ++wrong;
            }
        });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
}

TEST_CASE("where the system refuses threads, fewer take part, and later it is asked again") {
    const int before = workers();
    const int more = before + 3;
    {
        const NoNewThreads refused;
        if (!threads_are_refused()) return;
        CHECK(runs_each_index_once(more, 1000));
        CHECK(failure_of_loop(more, 100, [](std::size_t i) { return i == 50; }) == 50);
        CHECK(workers() == before);
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (workers() < more - 1 && std::chrono::steady_clock::now() < end) {
        CHECK(runs_each_index_once(more, 1000));
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    CHECK(workers() >= more - 1);
}

#ifdef _OPENMP
TEST_CASE("where the system refuses threads, OpenMP is not asked for them") {
    std::thread([] {  // OpenMP has no threads for this one yet
        const NoNewThreads refused;
        if (!threads_are_refused()) return;
        CHECK_THROWS_AS(OpenMpThreads(3), std::system_error);
        CHECK(omp_get_max_threads() != 3);
        CHECK(runs_each_index_once(3, 10));
        CHECK_NOTHROW(OpenMpThreads(1));
    })
        .join();
    std::thread([] {
        const OpenMpThreads threads(3);
        const NoNewThreads refused;
        CHECK_NOTHROW(OpenMpThreads(3));  // has them
        CHECK_THROWS_AS(OpenMpThreads(4), std::system_error);
        CHECK(runs_each_index_once(3, 10));
        CHECK_NOTHROW(OpenMpThreads(2));  // ends one of them
        CHECK_THROWS_AS(runs_each_index_once(3, 10), std::system_error);
    }).join();
}
#endif

}  // namespace vgg19::kernels
