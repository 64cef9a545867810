#include "tools/serve/job.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/serve/job_store.h"
#include "tools/serve/problem.h"
#include "tools/serve/work_queue.h"
#include "vgg19/error.h"

namespace {

using namespace vgg19::server;
using std::chrono::milliseconds;
using vgg19::model::Json;

const std::string one_pixel("P6 1 1 255\n\1\2\3", 14);

/// Simulates variants instead of running networks.
class FakeRunner final : public Runner {
  public:
    std::function<void(std::size_t variant)> before = [](std::size_t) {};
    std::atomic<int> runs = 0;
    std::size_t other_classes = 99;  ///< the variant with other classes

    const std::vector<std::string>& ids() const override { return ids_; }
    const std::vector<vgg19::PlanStep>& layers(std::size_t /*variant*/) const override { return layers_; }
    bool have_same_classes(std::size_t one, std::size_t other) const override {
        return one != other_classes && other != other_classes;
    }
    int threads() const override { return 1; }
    Outcome classify(std::size_t variant, const vgg19::ImageView& image, std::size_t top,
                     bool profile) override {
        ++runs;
        before(variant);
        CHECK(image.width == 1);
        Outcome outcome;
        outcome.ms = 1 + static_cast<double>(variant);
        outcome.logits = {3, 2, 1, 0, -1, static_cast<float>(variant)};
        for (std::size_t i = 0; i < std::min(top, outcome.logits.size()); ++i) {
            outcome.top.push_back({.class_index = i, .probability = 0.5F});
        }
        if (profile) outcome.layer_seconds = {0.001};
        return outcome;
    }
    std::vector<float> infer(std::size_t /*variant*/, std::span<const float> /*input*/) override {
        return {};
    }

  private:
    std::vector<std::string> ids_ = {"baseline", "pruned", "int8"};
    std::vector<vgg19::PlanStep> layers_ = {{.layer = "features.0", .kernel = "scalar"}};
};

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
        const auto event = job.events().wait_for(events.size() + 1, milliseconds(10'000));
        REQUIRE(event.has_value());
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
        if (variant == 1) throw vgg19::Error(vgg19::ErrorKind::failed, "memory is short");
    };
    for (const Mode mode : {Mode::parallel, Mode::rounds}) {
        Job job(runner, {.variants = {0, 1, 2}, .top = 2, .profile = true, .mode = mode, .rounds = 1},
                one_pixel, {});
        job.run();
        CHECK_FALSE(job.failure().has_value());
        const Json results = job.results();
        CHECK(results.find("pruned")->find("error")->find("message")->string() == "memory is short");
        CHECK(results.find("pruned")->find("error")->find("code")->string() == "internal");
        for (const char* id : {"baseline", "int8"}) {
            CHECK(results.find(id)->find("top")->array().size() == 2);
            CHECK(results.find(id)->find("agreement")->find("top5")->number() == 1);
            CHECK(results.find(id)->find("layers")->dump() ==
                  R"([{"layer":"features.0","kernel":"scalar","ms":1}])");
        }
        CHECK(state_of(job) == "done");
        CHECK(job.finish().wait_for(milliseconds(0)));
    }
}

TEST_CASE("answers with other classes are not compared with the baseline's") {
    FakeRunner runner;
    runner.other_classes = 1;
    Job job(runner, {.variants = {0, 1, 2}}, one_pixel, {});
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
    Job job(runner, {.variants = {0, 2}, .mode = Mode::rounds, .rounds = 3}, one_pixel, {});
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
    job = std::make_shared<Job>(runner, JobRequest{.variants = {0, 1}, .mode = Mode::rounds, .rounds = 9},
                                one_pixel, vgg19::ImageOptions{});
    job->run();
    CHECK(runner.runs == 1);
    CHECK(state_of(*job) == "cancelled");
}

TEST_CASE("a broken image fails the whole job") {
    FakeRunner runner;
    Job job(runner, {.variants = {0}}, "GIF", {});
    job.run();
    REQUIRE(job.failure().has_value());
    CHECK(job.failure()->status() == 400);
    CHECK(job.failure()->code() == "bad_image");
    CHECK(names_of(job) == std::vector<std::string>{"failed", "done"});
    CHECK(runner.runs == 0);
}

TEST_CASE("leave() reports a job's last follower") {
    FakeRunner runner;
    Job job(runner, {.variants = {0}}, one_pixel, {});
    job.follow();
    job.follow();
    CHECK_FALSE(job.leave());
    CHECK(job.leave());
}

TEST_CASE("a queue accepts as many tasks as it has places, and drops withdrawn ones") {
    FakeRunner runner;
    std::atomic<bool> go = false;
    runner.before = [&](std::size_t) { came_true([&] { return go.load(); }); };
    const auto new_job = [&] {
        return std::make_shared<Job>(runner, JobRequest{.variants = {0}}, one_pixel, vgg19::ImageOptions{});
    };
    const auto first = new_job();
    const auto second = new_job();
    const auto third = new_job();
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
    CHECK_THROWS_AS(queue.submit(new_job()), Problem);
    go = true;
    CHECK(first->finish().wait_for(milliseconds(10'000)));
    CHECK(state_of(*first) == "done");
}

TEST_CASE("jobs are found by unique names, until there are too many finished ones") {
    FakeRunner runner;
    JobStore store;
    std::vector<std::string> names;
    for (int i = 0; i < 20; ++i) {
        const auto job =
            std::make_shared<Job>(runner, JobRequest{.variants = {0}}, one_pixel, vgg19::ImageOptions{});
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

TEST_CASE("an event is written as lines, the last one empty") {
    CHECK(event_text(3, {.name = "round", .data = "{}"}) == "id: 3\nevent: round\ndata: {}\n\n");
}
