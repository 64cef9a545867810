#include "tools/serve/job.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tools/serve/job_store.h"
#include "tools/serve/problem.h"
#include "tools/serve/testing/fake_runner.h"
#include "tools/serve/work_queue.h"
#include "vgg19/error.h"

namespace {

using namespace vgg19::server;
using std::chrono::milliseconds;
using vgg19::model::Json;

/// Waits for a condition, with a time limit.
template <class Condition>
bool came_true(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + milliseconds(10'000);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

std::vector<std::pair<std::string, Json>> events_of(const Job& job) {
    std::vector<std::pair<std::string, Json>> events;
    while (!job.events().is_over_after(events.size())) {
        const auto event = job.events().find(events.size() + 1);
        REQUIRE(event.has_value());  // the job has ended
        events.emplace_back(event->name, Json::parse(event->data, "event"));
    }
    return events;
}

std::vector<std::string> names_of(const Job& job) {
    std::vector<std::string> names;
    for (const auto& [name, data] : events_of(job)) names.push_back(name);
    return names;
}

std::string state_of(const Job& job) {
    return events_of(job).back().second.find("state")->string();
}

}  // namespace

TEST_CASE("a failing variant does not affect others") {
    FakeRunner runner;
    runner.before = [](std::size_t variant) {
        if (variant == 1) throw vgg19::Error(vgg19::ErrorKind::failed, "it does not work");
    };
    for (const Mode mode : {Mode::parallel, Mode::rounds}) {
        const auto owned =
            new_job(runner, {.variants = {0, 1, 2}, .top = 2, .profile = true, .mode = mode, .rounds = 1});
        Job& job = *owned;
        job.run();
        CHECK_FALSE(job.failure().has_value());
        const Json results = job.results();
        CHECK(results.find("pruned")->find("error")->find("message")->string() == "it does not work");
        CHECK(results.find("pruned")->find("error")->find("code")->string() == "internal");
        for (const char* id : {"baseline", "int8"}) {
            CHECK(results.find(id)->find("top")->array().size() == 2);
            CHECK(results.find(id)->find("agreement")->find("top5")->number() == 1);
            CHECK(results.find(id)->find("layers")->dump() ==
                  R"([{"layer":"features.0","kernel":"scalar","ms":1}])");
        }
        CHECK(state_of(job) == "done");
    }
}

TEST_CASE("answers with other classes are not compared with the baseline's") {
    FakeRunner runner;
    runner.other_classes = 1;
    const auto owned = new_job(runner, {.variants = {0, 1, 2}});
    Job& job = *owned;
    job.run();
    const Json results = job.results();
    CHECK(results.find("pruned")->find("top") != nullptr);
    CHECK(results.find("pruned")->find("agreement") == nullptr);
    CHECK(results.find("int8")->find("agreement") != nullptr);
}

TEST_CASE("rounds run one after another, without failed variants") {
    FakeRunner runner;
    runner.before = [](std::size_t variant) {
        if (variant == 2) throw vgg19::Error(vgg19::ErrorKind::failed, "no");
    };
    const auto owned = new_job(runner, {.variants = {0, 2}, .mode = Mode::rounds, .rounds = 3});
    Job& job = *owned;
    job.run();
    CHECK(runner.runs == 4);
    CHECK(names_of(job) == std::vector<std::string>{"started", "result", "agreement", "failed", "round",
                                                    "result", "round", "result", "round", "done"});
    const Json latency = *events_of(job).back().second.find("latency");
    CHECK(latency.find("baseline")->find("runs")->size() == 3);
    CHECK(latency.find("int8") == nullptr);
}

TEST_CASE("a cancelled job runs no further variant") {
    FakeRunner runner;
    std::shared_ptr<Job> job;
    runner.before = [&](std::size_t) { job->cancel(); };
    job = new_job(runner, {.variants = {0, 1}, .mode = Mode::rounds, .rounds = 9});
    job->run();
    CHECK(runner.runs == 1);
    CHECK(state_of(*job) == "cancelled");
    CHECK(job->failure()->code() == "cancelled");
}

TEST_CASE("a job that nobody follows ends, also while it runs") {
    FakeRunner runner;
    runner.before = [](std::size_t) { std::this_thread::sleep_for(milliseconds(30)); };
    const auto new_rounds = [&] {
        return new_job(runner, {.variants = {0, 1}, .mode = Mode::rounds, .rounds = 3});
    };
    const auto alone = new_rounds();
    alone->require_followers(milliseconds(20));
    alone->run();
    CHECK(runner.runs == 1);
    CHECK(state_of(*alone) == "cancelled");
    const auto followed = new_rounds();
    followed->require_followers(milliseconds(20));
    followed->follow();
    followed->run();
    CHECK(state_of(*followed) == "done");
}

TEST_CASE("a job that runs for too long ends") {
    FakeRunner runner;
    runner.before = [](std::size_t) { std::this_thread::sleep_for(milliseconds(30)); };
    const auto job = new_job(runner, {.variants = {0, 1}, .mode = Mode::rounds, .rounds = 9});
    job->limit_time(milliseconds(20));
    job->run();
    CHECK(runner.runs == 1);
    CHECK(job->failure()->code() == "time_limit");
    CHECK(names_of(*job) == std::vector<std::string>{"started", "failed", "done"});
    CHECK(state_of(*job) == "failed");
}

TEST_CASE("a broken image fails the whole job") {
    FakeRunner runner;
    const auto owned = new_job(runner, {.variants = {0}}, "GIF");
    Job& job = *owned;
    job.run();
    REQUIRE(job.failure().has_value());
    CHECK(job.failure()->status() == 400);
    CHECK(job.failure()->code() == "bad_image");
    CHECK(names_of(job) == std::vector<std::string>{"failed", "done"});
    CHECK(runner.runs == 0);
}

TEST_CASE("leave() reports a job's last follower") {
    FakeRunner runner;
    const auto owned = new_job(runner, {.variants = {0}});
    Job& job = *owned;
    job.follow();
    job.follow();
    CHECK_FALSE(job.leave());
    CHECK(job.leave());
}

TEST_CASE("a queue accepts as many tasks as it has places, and drops withdrawn ones") {
    FakeRunner runner;
    std::atomic<bool> go = false;
    runner.before = [&](std::size_t) { came_true([&] { return go.load(); }); };
    const auto first = new_job(runner, {.variants = {0}});
    const auto second = new_job(runner, {.variants = {0}});
    const auto third = new_job(runner, {.variants = {0}});
    Finish finish;
    first->when_finished([&] { finish.set(); });
    WorkQueue queue(1, 1);
    queue.submit(first);
    queue.submit(second);
    CHECK_THROWS_AS(queue.submit(third), Problem);
    CHECK_THROWS_AS(queue.require_place(), Problem);
    CHECK(came_true([&] { return queue.waiting() == 1; }));

    queue.withdraw(second);
    CHECK(second->failure().has_value());
    CHECK(queue.waiting() == 0);
    queue.require_place();
    queue.submit(third);
    queue.withdraw(first);  // it runs already
    CHECK_FALSE(first->events().ended().has_value());

    // stop() drops waiting tasks and finishes running ones.
    CHECK(came_true([&] { return queue.running() == 1; }));
    queue.stop();
    CHECK(third->failure()->code() == "stopping");
    CHECK_THROWS_AS(queue.submit(new_job(runner, {.variants = {0}})), Problem);
    go = true;
    CHECK(finish.wait_for(milliseconds(10'000)));
    CHECK(state_of(*first) == "done");
}

TEST_CASE("jobs are found by unique names, until there are too many finished ones") {
    FakeRunner runner;
    JobStore store;
    std::vector<std::string> names;
    for (int i = 0; i < 20; ++i) {
        const auto job = new_job(runner, {.variants = {0}});
        names.push_back(store.add(job));
        job->run();
    }
    CHECK(names.front().size() == 32);
    CHECK(store.find(names.back()) != nullptr);
    CHECK(store.find(names.front()) == nullptr);
    CHECK(store.find("") == nullptr);
    store.remove(names.back());
    CHECK(store.find(names.back()) == nullptr);
}

TEST_CASE("the memory of events is accounted for, and comes back with the oldest finished job") {
    FakeRunner runner;
    MemoryBudget budget(40'000);
    JobStore store;
    budget.held().set_reclaim([&] { return store.remove_oldest(); });
    std::string first;
    for (int i = 0; i < 20; ++i) {
        const auto job =
            new_job(runner, {.variants = {0}, .mode = Mode::rounds, .rounds = 10}, one_pixel, budget);
        const std::string name = store.add(job);
        if (i == 0) first = name;
        job->run();
        CHECK(state_of(*job) == "done");
        CHECK(budget.held().usage().reserved > 1000);
    }
    CHECK(store.find(first) == nullptr);
    CHECK(budget.held().usage().most_reserved <= 10'000);
    CHECK(budget.working().usage().reserved == 0);
    while (store.remove_oldest()) {
    }
    CHECK(budget.held().usage().reserved == 0);
}

TEST_CASE("events that do not fit end the job") {
    FakeRunner runner;
    MemoryBudget budget(10'000);
    const auto job =
        new_job(runner, {.variants = {0}, .mode = Mode::rounds, .rounds = 50}, one_pixel, budget);
    job->run();
    CHECK(job->failure()->status() == 503);
    CHECK(job->failure()->code() == "memory_full");
    const auto events = events_of(*job);
    CHECK(events.back().first == "done");
    CHECK(state_of(*job) == "failed");
    CHECK(events[events.size() - 2].first == "failed");
    CHECK(runner.runs < 50);
}

TEST_CASE("what never fits is refused, and what does not fit now waits") {
    FakeRunner runner;
    MemoryBudget budget(100'000);
    runner.run_memory = 80'000;
    const auto too_large = new_job(runner, {.variants = {0}}, one_pixel, budget);
    too_large->run();
    CHECK(too_large->failure()->status() == 413);
    CHECK(runner.runs == 0);

    runner.run_memory = 50'000;
    auto taken = budget.working().reserve(50'000);
    const auto waits = new_job(runner, {.variants = {0}}, one_pixel, budget);
    std::thread worker([&] { waits->run(); });
    std::this_thread::sleep_for(milliseconds(20));
    CHECK(runner.runs == 0);
    taken.reset();
    worker.join();
    CHECK(runner.runs == 1);
    CHECK(state_of(*waits) == "done");

    taken = budget.working().reserve(50'000);
    const auto leaves = new_job(runner, {.variants = {0}}, one_pixel, budget);
    std::thread another([&] { leaves->run(); });
    leaves->cancel();
    another.join();
    CHECK(leaves->failure()->code() == "cancelled");
    CHECK(budget.held().usage().reserved > 0);  // events alone: the picture's file is gone
}

TEST_CASE("who waits for a task is told once, when it has run or was dropped") {
    FakeRunner runner;
    for (const bool runs : {true, false}) {
        const auto job = new_job(runner, {.variants = {0}});
        auto kept = std::make_shared<int>(0);
        job->when_finished([kept] { ++*kept; });
        runs ? job->run() : job->drop();
        CHECK(*kept == 1);
        CHECK(kept.use_count() == 1);
        CHECK(job->failure().has_value() == !runs);
    }
}

TEST_CASE("memory that is short in a run fails the request, not the variant alone") {
    FakeRunner runner;
    runner.before = [](std::size_t variant) {
        if (variant == 1) throw std::bad_alloc();
    };
    for (const Mode mode : {Mode::parallel, Mode::rounds}) {
        const auto job = new_job(runner, {.variants = {0, 1, 2}, .mode = mode, .rounds = 2});
        job->run();
        CHECK(job->failure()->status() == 503);
        CHECK(job->failure()->code() == "memory_short");
        CHECK(state_of(*job) == "failed");
    }
}

TEST_CASE("an event is written as lines, the last one empty") {
    CHECK(event_text(3, {.name = "round", .data = "{}"}) == "id: 3\nevent: round\ndata: {}\n\n");
}
