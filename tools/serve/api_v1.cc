// /v1: images in, predictions out.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bench/machine.h"
#include "tools/serve/application.h"
#include "tools/serve/query.h"

namespace vgg19::server {

namespace {

using model::Json;

std::string timing(const char* name, double ms) {
    return std::string(name) + ";dur=" + Json(ms).dump();
}

/// A client that reads a job's events. When the last one leaves, the job is cancelled.
class Follower final : public EventLog::Listener {
  public:
    /// `memory` accounts for the event that is being sent.
    Follower(const ExchangePtr& exchange, std::shared_ptr<Job> job, WorkQueue& queue, MemoryPool& memory,
             std::size_t seen)
        : exchange_(exchange), job_(std::move(job)), queue_(queue), memory_(memory), next_(seen + 1) {
        job_->events().listen(*this);
        job_->follow();
    }
    ~Follower() override {
        job_->events().leave(*this);
        if (!job_->leave() || job_->events().ended()) return;
        job_->cancel();
        queue_.withdraw(job_);
    }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    void grown() noexcept override {
        if (const ExchangePtr exchange = exchange_.lock()) exchange->wake();
    }

    /// Appends the next event. Throws Problem where there is no memory for it.
    http::Source::State tell(std::string& text) {
        sending_.shrink(0);
        // Asked first: what comes in between is told with the next piece.
        const bool is_over = job_->events().is_over_after(next_);
        if (const auto event = job_->events().find(next_)) {
            text = event_text(next_++, *event);
            auto sending = memory_.reserve(text.capacity());
            if (!sending) throw memory_is_short();
            sending_ = std::move(*sending);
            return is_over ? http::Source::State::end : http::Source::State::more;
        }
        return job_->events().is_over_after(next_ - 1) ? http::Source::State::end : http::Source::State::idle;
    }

  private:
    const std::weak_ptr<http::Exchange> exchange_;
    std::shared_ptr<Job> job_;
    WorkQueue& queue_;
    MemoryPool& memory_;
    Reservation sending_;
    std::size_t next_;
};

}  // namespace

void Application::add_v1(std::vector<http::Route>& routes) {
    routes.push_back(get_route("/v1/models", [this](const http::Request& /*request*/) {
        return http::Answer{.type = "application/json", .lasting_body = models_text_};
    }));
    routes.push_back(queued_route(
        "/v1/classify", Body::image,
        [this](const ExchangePtr& exchange, Reservation memory) { classify(exchange, std::move(memory)); }));
    routes.push_back(
        queued_route("/v1/jobs", Body::image, [this](const ExchangePtr& exchange, Reservation memory) {
            create_job(exchange, std::move(memory));
        }));
    routes.push_back({.pattern = "/v1/jobs/{id}/events",
                      .method = "GET",
                      .admit = {},
                      .handle = [this](const ExchangePtr& exchange) { tell_events(exchange); }});
}

Json Application::models_json() const {
    const kernels::Isa isa = bench::chosen_isa(settings_.session);
    Json limits;
    limits.set("max_upload_bytes", std::uint64_t{settings_.limits.body_bytes});
    limits.set("max_pixels", std::uint64_t{settings_.limits.image.limits.max_pixels});
    limits.set("max_top", std::uint64_t{settings_.limits.top});
    limits.set("max_rounds", std::uint64_t{settings_.limits.rounds});
    limits.set("memory_bytes", std::uint64_t{settings_.limits.memory_bytes});
    Json json;
    json.set("version", bench::describe_build().version);
    json.set("cpu", bench::describe_machine(isa).cpu);
    json.set("isa", kernels::isa_name(isa));
    json.set("threads", variants_.threads());
    json.set("seeded", variants_.any_is_seeded());
    json.set("limits", limits);
    json.set("models", variants_.models_json());
    return json;
}

std::shared_ptr<Job> Application::new_job(http::Exchange& exchange, JobRequest request, Reservation memory) {
    Upload upload(std::move(exchange.body), std::string(exchange.request().value("content-type")),
                  std::move(memory));
    return std::make_shared<Job>(variants_, std::move(request), std::move(upload),
                                 settings_.limits.image_options(), budget_);
}

void Application::classify(const ExchangePtr& exchange, Reservation memory) {
    const auto task =
        new_job(*exchange, classify_request(exchange->request().query, variants_.ids(), settings_.limits),
                std::move(memory));
    submit(exchange, task, [&job = *task] {
        std::string times = timing("queue", job.queue_ms());
        if (!job.failure()) times += ", " + timing("decode", job.decode_ms());
        http::Answer answer =
            job.failure() ? problem_answer(*job.failure(), "") : json_answer(200, job.results());
        answer.fields.emplace_back("Server-Timing", std::move(times));
        return answer;
    });
}

void Application::create_job(const ExchangePtr& exchange, Reservation memory) {
    const auto job =
        new_job(*exchange, job_request(exchange->request().query, variants_.ids(), settings_.limits),
                std::move(memory));
    job->limit_time(settings_.limits.run);
    job->require_followers();
    const std::string id = jobs_.add(job);
    try {
        queue_.submit(job);
    } catch (...) {
        jobs_.remove(id);
        throw;
    }
    const std::string events = "/v1/jobs/" + id + "/events";
    Json json;
    json.set("id", id);
    json.set("events", events);
    http::Answer answer = json_answer(202, json);
    answer.fields.emplace_back("Location", events);
    exchange->respond(std::move(answer));
}

void Application::tell_events(const ExchangePtr& exchange) {
    const http::Request& request = exchange->request();
    const std::shared_ptr<Job> job = jobs_.find(request.id);
    if (job == nullptr) throw Problem(404, "not_found", "there is no such job, or no more");
    const std::string_view seen_text = request.value("last-event-id");
    const std::optional<std::uint64_t> seen = seen_text.empty() ? 0 : http::whole_number(seen_text);
    if (!seen) throw Problem(400, "bad_request", "Last-Event-ID: expected a whole number");
    if (request.is_1_0) throw Problem(505, "version_not_supported", "events need HTTP/1.1");
    http::Answer head{.type = "text/event-stream", .fields = {{"Cache-Control", "no-store"}}};
    if (*seen > 0 && job->events().is_over_after(static_cast<std::size_t>(*seen))) {
        head.status = 204;
        head.type.clear();
        exchange->respond(std::move(head));
    } else if (request.method == "HEAD") {
        exchange->respond(std::move(head));
    } else {
        const auto follower = std::make_shared<Follower>(exchange, job, queue_, budget_.held(),
                                                         static_cast<std::size_t>(*seen));
        exchange->stream(std::move(head),
                         {.next = [follower](std::string& text) { return follower->tell(text); },
                          .filler = ": still there\n\n"});
    }
}

}  // namespace vgg19::server
