// /v1: images in, predictions out.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "bench/machine.h"
#include "tools/serve/application.h"
#include "tools/serve/multipart.h"
#include "tools/serve/query.h"

namespace vgg19::server {

namespace {

using model::Json;
using Clock = std::chrono::steady_clock;

Upload upload(Exchange& exchange) {
    return {std::move(exchange.body), exchange.head.value("content-type"), Reservation()};
}

std::string timing(const char* name, double ms) {
    return std::string(name) + ";dur=" + Json(ms).dump();
}

/// A client that reads a job's events. When the last one leaves, the job is cancelled.
class Follower {
  public:
    Follower(std::shared_ptr<Job> job, WorkQueue& queue, std::size_t seen)
        : job_(std::move(job)), queue_(queue), next_(seen + 1) {
        job_->follow();
    }
    ~Follower() {
        if (!job_->leave() || job_->events().ended()) return;
        job_->cancel();
        queue_.withdraw(job_);
    }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    /// Writes the next event, or a comment if none came for a while. False if the client is gone.
    bool tell(httplib::DataSink& sink) {
        constexpr std::chrono::milliseconds glance{100};
        constexpr std::chrono::seconds longest_silence{10};
        std::string text;
        std::this_thread::sleep_for(glance / 10);
        if (const auto event = job_->events().find(next_)) {
            text = event_text(next_++, *event);
        } else if (job_->events().is_over_after(next_ - 1)) {
            sink.done();
            return true;
        } else if (Clock::now() - last_written_ > longest_silence) {
            text = ": still there\n\n";
        }
        if (!text.empty()) {
            last_written_ = Clock::now();
            sink.write(text.data(), text.size());
        }
        return sink.is_writable();
    }

  private:
    std::shared_ptr<Job> job_;
    WorkQueue& queue_;
    std::size_t next_;
    Clock::time_point last_written_ = Clock::now();
};

}  // namespace

void Application::add_v1(std::vector<Route>& routes) {
    const auto admit = [this] { queue_.require_place(); };
    routes.push_back({.pattern = "/v1/models", .method = "GET", .handler = [this](Exchange& exchange) {
                          answer_json(exchange.response, 200, models_json());
                      }});
    routes.push_back({.pattern = "/v1/classify",
                      .method = "POST",
                      .body = Body::image,
                      .handler = [this](Exchange& exchange) { classify(exchange); },
                      .admit = admit});
    routes.push_back({.pattern = "/v1/jobs",
                      .method = "POST",
                      .body = Body::image,
                      .handler = [this](Exchange& exchange) { create_job(exchange); },
                      .admit = admit});
    routes.push_back({.pattern = "/v1/jobs/{id}/events",
                      .method = "GET",
                      .handler = [this](Exchange& exchange) { tell_events(exchange); }});
}

Json Application::models_json() const {
    const kernels::Isa isa = bench::chosen_isa(settings_.session);
    static const std::string cpu =
        bench::describe_machine(isa).cpu;  // slow, because it reads many small files
    Json limits;
    limits.set("max_upload_bytes", std::uint64_t{settings_.limits.body_bytes});
    limits.set("max_pixels", std::uint64_t{settings_.limits.image.limits.max_pixels});
    limits.set("max_top", std::uint64_t{settings_.limits.top});
    limits.set("max_rounds", std::uint64_t{settings_.limits.rounds});
    Json json;
    json.set("version", bench::describe_build().version);
    json.set("cpu", cpu);
    json.set("isa", kernels::isa_name(isa));
    json.set("threads", variants_.threads());
    json.set("seeded", variants_.any_is_seeded());
    json.set("limits", limits);
    json.set("models", variants_.models_json());
    return json;
}

void Application::classify(Exchange& exchange) {
    JobRequest request = classify_request(exchange.query, variants_.ids(), settings_.limits);
    const auto job = std::make_shared<Job>(variants_, std::move(request), upload(exchange),
                                           settings_.limits.image_options(), budget_);
    Finish finish;
    job->when_finished([&] { finish.set(); });
    queue_.submit(job);
    wait_for(job, finish, exchange);
    exchange.noted.push_back(timing("queue", job->queue_ms()));
    if (job->failure()) throw Problem(*job->failure());
    exchange.noted.push_back(timing("decode", job->decode_ms()));
    answer_json(exchange.response, 200, job->results());
}

void Application::create_job(Exchange& exchange) {
    JobRequest request = job_request(exchange.query, variants_.ids(), settings_.limits);
    const auto job = std::make_shared<Job>(variants_, std::move(request), upload(exchange),
                                           settings_.limits.image_options(), budget_);
    job->require_followers();
    const std::string id = jobs_.add(job);
    try {
        queue_.submit(job);
    } catch (const Problem&) {
        jobs_.remove(id);
        throw;
    }
    const std::string events = "/v1/jobs/" + id + "/events";
    Json json;
    json.set("id", id);
    json.set("events", events);
    exchange.response.set_header("Location", events);
    answer_json(exchange.response, 202, json);
}

void Application::tell_events(Exchange& exchange) {
    const std::shared_ptr<Job> job = jobs_.find(exchange.id);
    if (job == nullptr) throw Problem(404, "not_found", "there is no such job, or no more");
    const std::string_view seen_text = exchange.head.value("last-event-id");
    const std::optional<std::uint64_t> seen = seen_text.empty() ? 0 : whole_number(seen_text);
    if (!seen) throw Problem(400, "bad_request", "Last-Event-ID: expected a whole number");
    if (exchange.head.version != "HTTP/1.1") {
        throw Problem(505, "version_not_supported", "events need HTTP/1.1");
    }
    httplib::Response& response = exchange.response;
    response.set_header("Cache-Control", "no-store");
    if (*seen > 0 && job->events().is_over_after(static_cast<std::size_t>(*seen))) {
        response.status = 204;
        return;
    }
    response.status = 200;
    if (exchange.head.method == "HEAD") {
        response.set_header("Content-Type", "text/event-stream");
        return;
    }
    const auto follower = std::make_shared<Follower>(job, queue_, static_cast<std::size_t>(*seen));
    response.set_chunked_content_provider(
        "text/event-stream",
        [follower](std::size_t /*offset*/, httplib::DataSink& sink) { return follower->tell(sink); });
}

}  // namespace vgg19::server
