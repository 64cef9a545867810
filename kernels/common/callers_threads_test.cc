#include "kernels/common/callers_threads.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kernels/common/callers_function.h"
#include "kernels/common/parallel.h"
#include "kernels/common/thread_limit.h"

namespace vgg19::kernels {

namespace {

using Call = std::function<void(std::size_t)>;

/// A new thread for each call but the first. Counts loops and calls.
struct Threads {
    std::atomic<std::size_t> loops = 0;
    std::atomic<std::size_t> calls = 0;

    ParallelFor function() {
        return [this](std::size_t count, const Call& call) {
            ++loops;
            calls += count;
            std::vector<std::jthread> threads;
            for (std::size_t i = 1; i < count; ++i) threads.emplace_back([&call, i] { call(i); });
            if (count > 0) call(0);
        };
    }
};

/// Without synchronisation, so that the thread sanitizer detects if two threads get the same index.
std::vector<int> hits_of_loop(int threads, std::size_t tasks) {
    std::vector<int> hits(tasks);
    parallel_for(threads, tasks, [&](std::size_t index) { ++hits[index]; });
    return hits;
}

bool runs_each_index_once(int threads, std::size_t tasks) {
    return hits_of_loop(threads, tasks) == std::vector<int>(tasks, 1);
}

/// What rethrow() throws.
std::string callers_message() {
    try {
        CallersThreads::rethrow();
    } catch (const CallersException& callers) {
        try {
            std::rethrow_exception(callers.exception);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }
    return "nothing";
}

}  // namespace

TEST_CASE("loops run on a caller's threads, each index once and no worker twice at a time") {
    Threads threads;
    const ParallelFor function = threads.function();
    const CallersThreads callers(function);
    for (const int count : {1, 2, 3, 8}) {
        for (const std::size_t tasks : {0U, 1U, 2U, 7U, 500U}) {
            CAPTURE(count);
            CAPTURE(tasks);
            const std::size_t before = threads.calls;
            std::vector<int> hits(tasks);
            std::vector<int> of_worker(static_cast<std::size_t>(count));
            parallel_workers(count, tasks, [&](std::size_t worker, std::size_t index) {
                ++of_worker.at(worker);
                ++hits[index];
            });
            CHECK(hits == std::vector<int>(tasks, 1));
            const std::size_t participants = std::min<std::size_t>(tasks, static_cast<std::size_t>(count));
            CHECK(threads.calls - before == (participants > 1 ? participants : 0));
        }
    }
}

TEST_CASE("a caller's function may call in any order, twice, out of range, and leave calls out") {
    std::size_t calls = 0;
    const std::vector<ParallelFor> functions = {
        [&](std::size_t count, const Call& call) {
            for (std::size_t i = count; i-- > 0;) call(i);
        },
        [&](std::size_t count, const Call& call) {
            call(count - 1);
            ++calls;
        },
        [&](std::size_t /*count*/, const Call& /*call*/) { ++calls; },
        [&](std::size_t count, const Call& call) {
            for (std::size_t i = 0; i < 2 * count; ++i) call(i % count);
            call(count);
            call(100'000);
        },
        [&](std::size_t count, const Call& call) {  // one participant, claimed on two threads
            std::jthread other([&] { call(0); });
            call(0);
            calls += count;
        }};
    for (const ParallelFor& function : functions) {
        const CallersThreads callers(function);
        for (const std::size_t tasks : {2U, 3U, 100U}) CHECK(runs_each_index_once(3, tasks));
    }
    CHECK(calls > 0);
}

TEST_CASE("loops inside of tasks stay on the task's thread") {
    Threads threads;
    const ParallelFor function = threads.function();
    const CallersThreads callers(function);
    std::atomic<int> wrong = 0;
    parallel_for(4, 4, [&](std::size_t) {
        const std::thread::id own = std::this_thread::get_id();
        parallel_for(4, 8, [&](std::size_t) {
            if (std::this_thread::get_id() != own) ++wrong;
        });
    });
    CHECK(wrong == 0);
    CHECK(threads.loops == 1);
    CHECK(ThreadLimit::apply(4) == 4);
}

TEST_CASE("a caller's threads are those of one thread, as long as they live, and the innermost's") {
    Threads outer;
    Threads inner;
    const ParallelFor outer_function = outer.function();
    const ParallelFor inner_function = inner.function();
    {
        const CallersThreads callers(outer_function);
        std::jthread([] { CHECK(runs_each_index_once(2, 10)); }).join();
        CHECK(outer.loops == 0);
        {
            const CallersThreads others(inner_function);
            CHECK(runs_each_index_once(2, 10));
            CHECK(inner.loops == 1);
            const ParallelFor none;
            const CallersThreads pool(none);
            CHECK(runs_each_index_once(2, 10));
            CHECK(inner.loops == 1);
        }
        CHECK(outer.loops == 0);
        CHECK(runs_each_index_once(2, 10));
        CHECK(outer.loops == 1);
        const ThreadLimit limit(1);
        CHECK(runs_each_index_once(2, 10));
        CHECK(outer.loops == 1);
    }
    CHECK(runs_each_index_once(2, 10));
    CHECK(outer.loops == 1);
}

TEST_CASE("an exception of a caller's function waits until the loops are done") {
    std::size_t loops = 0;
    const ParallelFor function = [&](std::size_t /*count*/, const Call& call) {
        ++loops;
        call(0);
        throw std::runtime_error("no thread, loop " + std::to_string(loops));
    };
    const CallersThreads callers(function);
    CHECK_NOTHROW(CallersThreads::rethrow());
    for (int round = 1; round <= 2; ++round) {
        CHECK(runs_each_index_once(3, 100));
        CHECK(runs_each_index_once(3, 100));  // on this thread: the function has failed
        CHECK(loops == static_cast<std::size_t>(round));
        CHECK(callers_message() == "no thread, loop " + std::to_string(round));
        CHECK_NOTHROW(CallersThreads::rethrow());
    }
}

}  // namespace vgg19::kernels
