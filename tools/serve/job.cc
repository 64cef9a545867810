#include "tools/serve/job.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>

#include "bench/answer_json.h"
#include "bench/statistics.h"
#include "converter/variants/recipes.h"
#include "kernels/common/thread_limit.h"
#include "tools/serve/answers.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

using model::Json;

double rounded(double ms) {
    constexpr double microseconds = 1000;
    return std::round(ms * microseconds) / microseconds;
}

double ms_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Json to_json(const bench::Latency& latency) {
    Json json;
    json.set("median_ms", rounded(latency.median_ms));
    json.set("min_ms", rounded(latency.min_ms));
    json.set("p90_ms", rounded(latency.p90_ms));
    json.set("p99_ms", rounded(latency.p99_ms));
    json.set("runs", std::uint64_t{latency.runs});
    return json;
}

Json layers_json(const std::vector<PlanStep>& steps, const std::vector<double>& seconds) {
    Json array = Json::Array{};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        Json layer;
        layer.set("layer", steps[i].layer);
        layer.set("kernel", steps[i].kernel);
        layer.set("ms", rounded(seconds[i] * 1e3));
        array.push(layer);
    }
    return array;
}

/// Calls `read`; what is wrong with the picture becomes a Problem (400).
template <class Read>
auto of_the_picture(const Read& read) {
    try {
        return read();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::bad_input) throw;
        throw Problem(400, "bad_image", error.what());
    }
}

}  // namespace

Job::Job(Runner& runner, JobRequest request, Upload upload, ImageOptions options, MemoryBudget& budget)
    : runner_(runner),
      request_(std::move(request)),
      upload_(std::move(upload)),
      image_options_(std::move(options)),
      budget_(budget),
      events_(&budget.held()) {
    image_options_.is_cancelled = [this] { return is_over(); };
}

void Job::work() noexcept {
    started_ = Clock::now();
    queue_ms_ = ms_since(created_);
    try {
        if (is_abandoned()) cancel();
        if (!is_over()) run_all();
    } catch (...) {
        fail(current_problem());
    }
    if (is_cancelled()) fail(reason());
    upload_ = {};
    end();
}

void Job::give_up() noexcept {
    fail(reason());
    upload_ = {};
    end();
}

void Job::run_all() {
    upload_.find_file();
    const Reservation memory = memory_to_run();
    const Image image = decode();
    upload_ = {};
    tell_started(image);
    if (request_.mode == Mode::rounds) {
        run_rounds(image.view());
    } else {
        run_parallel(image.view());
    }
}

Reservation Job::memory_to_run() {
    const ImageCost cost =
        of_the_picture([&] { return image_cost(upload_.file(), "image", image_options_); });
    std::size_t bytes = cost.memory_bytes;
    for (const std::size_t variant : request_.variants) {
        bytes += runner_.run_bytes(variant, cost.width, cost.height, request_.top);
    }
    return wait_for_memory(budget_.working(), bytes, "image");
}

Image Job::decode() {
    const Clock::time_point start = Clock::now();
    Image image = of_the_picture([&] { return decode_image(upload_.file(), "image", image_options_); });
    decode_ms_ = ms_since(start);
    return image;
}

void Job::run_parallel(const ImageView& image) {
    // Variants that run in parallel share the threads of one; with more, they would slow each other down.
    const int share = std::max(1, runner_.threads() / static_cast<int>(request_.variants.size()));
    const auto run_one = [&](std::size_t variant) noexcept {
        const kernels::ThreadLimit limit(share);
        run_variant(variant, 1, image);
    };
    std::deque<Call> others;  // waits for them, also if there is no memory for another one
    for (const std::size_t variant : std::span(request_.variants).subspan(1)) {
        runner_.begin(variant, others.emplace_back([&run_one, variant] { run_one(variant); }));
    }
    run_one(request_.variants.front());
}

void Job::run_rounds(const ImageView& image) {
    for (std::size_t round = 1; round <= request_.rounds; ++round) {
        for (const std::size_t variant : request_.variants) {
            const bool failed = [&] {
                const std::scoped_lock lock(mutex_);
                return entries_[variant].problem.has_value();
            }();
            if (!failed) run_variant(variant, round, image);
            if (is_abandoned()) cancel();
            if (is_over()) return;
        }
        Json json;
        json.set("round", std::uint64_t{round});
        json.set("rounds", std::uint64_t{request_.rounds});
        events_.add("round", json);
    }
}

/// What the server lacks (memory, time) fails the whole job, everything else this variant.
void Job::run_variant(std::size_t variant, std::size_t round, const ImageView& image) noexcept {
    Problem problem = memory_is_short();
    try {
        if (is_over()) return;
        const std::size_t top = std::max(request_.top, bench::agreeing_classes);
        record(variant, round,
               runner_.classify(variant, image, top, request_.profile, [this] { return is_over(); }));
        return;
    } catch (...) {
        problem = current_problem();
    }
    try {
        if (problem.status() != 503) return fail_variant(variant, problem);
    } catch (...) {
        problem = current_problem();
    }
    fail(std::move(problem));
}

void Job::record(std::size_t variant, std::size_t round, Outcome outcome) {
    const Json result = result_json(variant, outcome);
    Json json;
    json.set("variant", runner_.ids()[variant]);
    json.set("round", std::uint64_t{round});
    json.set("result", result);
    const std::scoped_lock lock(mutex_);
    events_.add("result", json);
    Entry& entry = entries_[variant];
    entry.seconds.push_back(outcome.ms / 1e3);
    if (entry.answer) return;
    entry.result = result;
    outcome.top.resize(std::min(outcome.top.size(), bench::agreeing_classes));
    entry.answer = bench::Answer{.logits = std::move(outcome.logits), .top = std::move(outcome.top)};
    tell_agreements(variant);
}

/// Called with the lock, at the first answer of `variant`: sends its agreement or, if it is the baseline, the
/// agreement of all variants that finished earlier.
void Job::tell_agreements(std::size_t variant) {
    const auto is_baseline = [&](const auto& item) {
        return runner_.ids()[item.first] == converter::baseline_recipe().id;
    };
    const auto found = std::find_if(entries_.begin(), entries_.end(), is_baseline);
    if (found == entries_.end() || !found->second.answer) return;
    const bench::Answer& baseline = *found->second.answer;
    for (auto& [other, entry] : entries_) {
        const bool is_due = other == variant || variant == found->first;
        if (!is_due || !entry.answer || !runner_.have_same_classes(found->first, other)) continue;
        entry.agreement = bench::agreement_with(baseline, *entry.answer);
        Json json;
        json.set("variant", runner_.ids()[other]);
        json.set("agreement", to_json(*entry.agreement));
        events_.add("agreement", json);
    }
}

void Job::fail_variant(std::size_t variant, const Problem& problem) {
    Json json;
    json.set("variant", runner_.ids()[variant]);
    json.set("error", problem_json(problem));
    const std::scoped_lock lock(mutex_);
    entries_[variant].problem = problem;
    events_.add("failed", json);
}

void Job::fail(Problem problem) noexcept {
    if (is_cancelled()) problem = reason();
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_.emplace(std::move(problem));
    has_failed_ = true;
}

void Job::end() noexcept {
    try {
        if (failure_ && failure_->code() != "cancelled" && failure_->code() != "stopping") {
            Json json;
            json.set("error", problem_json(*failure_));
            events_.add("failed", json);
            tell_end("failed");
        } else {
            tell_end(failure_ ? "cancelled" : "done");
        }
    } catch (...) {  // there is no memory for them
        events_.end_without_memory();
    }
    if (!needs_followers_) return;
    const std::scoped_lock lock(mutex_);
    entries_.clear();
}

void Job::tell_end(const char* state) {
    Json latency = Json::Object{};
    {
        const std::scoped_lock lock(mutex_);
        for (const std::size_t variant : request_.variants) {
            const auto found = entries_.find(variant);
            if (found == entries_.end() || found->second.seconds.empty()) continue;
            latency.set(runner_.ids()[variant], to_json(bench::summarise(found->second.seconds)));
        }
    }
    Json json;
    json.set("state", state);
    json.set("ms", rounded(ms_since(started_)));
    json.set("latency", latency);
    events_.end("done", json);
}

Json Job::result_json(std::size_t variant, const Outcome& outcome) const {
    const std::size_t count = std::min(request_.top, outcome.top.size());
    Json json;
    json.set("ms", rounded(outcome.ms));
    json.set("in_parallel", outcome.in_parallel);
    json.set("top", bench::to_json(std::span(outcome.top).first(count)));
    if (!outcome.layer_seconds.empty()) {
        json.set("layers", layers_json(runner_.layers(variant), outcome.layer_seconds));
    }
    return json;
}

void Job::tell_started(const Image& image) {
    Json ids = Json::Array{};
    for (const std::size_t variant : request_.variants) ids.push(runner_.ids()[variant]);
    Json json;
    json.set("variants", ids);
    json.set("mode", request_.mode == Mode::rounds ? "rounds" : "parallel");
    json.set("rounds", std::uint64_t{request_.rounds});
    json.set("width", std::uint64_t{image.width});
    json.set("height", std::uint64_t{image.height});
    json.set("queue_ms", rounded(queue_ms_));
    json.set("decode_ms", rounded(decode_ms_));
    events_.add("started", json);
}

Json Job::results() const {
    const std::scoped_lock lock(mutex_);
    Json json = Json::Object{};
    for (const std::size_t variant : request_.variants) {
        const Entry& entry = entries_.at(variant);
        Json value;
        if (entry.problem) {
            value.set("error", problem_json(*entry.problem));
        } else {
            value = entry.result;
            if (entry.agreement) value.set("agreement", to_json(*entry.agreement));
        }
        json.set(runner_.ids()[variant], value);
    }
    return json;
}

void Job::follow() {
    const std::scoped_lock lock(mutex_);
    ++followers_;
}

bool Job::leave() {
    const std::scoped_lock lock(mutex_);
    last_followed_ = Clock::now();
    return --followers_ == 0;
}

bool Job::is_abandoned() const {
    const std::scoped_lock lock(mutex_);
    return needs_followers_ && followers_ == 0 && Clock::now() - last_followed_ > longest_without_followers_;
}

}  // namespace vgg19::server
