// A job: classifies one image with some variants.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bench/agreement.h"
#include "engine/model/json.h"
#include "tools/serve/event_log.h"
#include "tools/serve/memory/memory_budget.h"
#include "tools/serve/problem.h"
#include "tools/serve/runner.h"
#include "tools/serve/upload.h"
#include "tools/serve/work_queue.h"
#include "vgg19/image.h"

namespace vgg19::server {

enum class Mode : unsigned char {
    parallel,  ///< all variants at once, each on its own thread
    rounds,    ///< one after another, repeated for each round
};

struct JobRequest {
    std::vector<std::size_t> variants;  ///< the runner's indices, all different, at least one
    std::size_t top = 3;
    bool profile = false;
    Mode mode = Mode::parallel;
    std::size_t rounds = 1;
};

class Job final : public Task {
  public:
    /// `budget` accounts for what the job takes while it runs, and for its events; it must outlive the job.
    Job(Runner& runner, JobRequest request, Upload upload, ImageOptions options, MemoryBudget& budget);

    const EventLog& events() const { return events_; }
    EventLog& events() { return events_; }

    /// Counts clients that follow the events. leave() returns true for the last one: the remaining work is
    /// not needed then.
    void follow();
    bool leave();
    /// From now on the job is cancelled if it has no followers for so long, and keeps no results().
    void require_followers(std::chrono::milliseconds longest_without = std::chrono::seconds(10)) {
        needs_followers_ = true;
        longest_without_followers_ = longest_without;
    }

    // Only when finished:

    /// The reason if there are no results at all.
    const std::optional<Problem>& failure() const { return failure_; }
    /// The Classification object of the API's description.
    model::Json results() const;
    double queue_ms() const { return queue_ms_; }
    double decode_ms() const { return decode_ms_; }

  private:
    using Clock = std::chrono::steady_clock;

    /// The state of one variant.
    struct Entry {
        std::optional<bench::Answer> answer;
        model::Json result;
        std::optional<bench::Agreement> agreement;
        std::optional<Problem> problem;
        std::vector<double> seconds;
    };

    void work() noexcept override;
    void give_up() noexcept override;

    bool is_abandoned() const;
    /// Whether nothing more is to be run: the task was cancelled, or the whole job has failed.
    bool is_over() const noexcept { return is_cancelled() || has_failed_; }
    void run_all();
    Reservation memory_to_run();
    Image decode();
    void run_parallel(const ImageView& image);
    void run_rounds(const ImageView& image);
    void run_variant(std::size_t variant, std::size_t round, const ImageView& image) noexcept;
    void record(std::size_t variant, std::size_t round, Outcome outcome);
    void tell_agreements(std::size_t variant);
    void fail_variant(std::size_t variant, const Problem& problem);
    /// Notes why there are no results; the first reason counts.
    void fail(Problem problem) noexcept;
    /// The last events.
    void end() noexcept;
    void tell_end(const char* state);
    model::Json result_json(std::size_t variant, const Outcome& outcome) const;
    void tell_started(const Image& image);

    Runner& runner_;
    const JobRequest request_;
    Upload upload_;
    ImageOptions image_options_;
    MemoryBudget& budget_;
    const Clock::time_point created_ = Clock::now();
    Clock::time_point started_ = created_;
    double queue_ms_ = 0;
    double decode_ms_ = 0;
    EventLog events_;
    std::atomic<bool> has_failed_ = false;

    mutable std::mutex mutex_;  ///< protects the members below
    std::map<std::size_t, Entry> entries_;
    std::optional<Problem> failure_;
    std::size_t followers_ = 0;
    Clock::time_point last_followed_ = created_;
    bool needs_followers_ = false;
    std::chrono::milliseconds longest_without_followers_{0};
};

}  // namespace vgg19::server
