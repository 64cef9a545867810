#include "tools/serve/application.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "tools/serve/assets.h"
#include "tools/serve/http/guard.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

/// What a request takes besides its body: its head, the objects that stand for it, small answers.
constexpr std::size_t request_bytes = 32768;

Problem memory_is_full() {
    return {503, "memory_full", "other requests have taken the server's memory"};
}

/// While a body of unknown length grows, it takes its old and its new memory.
Problem does_not_fit() {
    return {413, "payload_too_large",
            "body: in chunks it does not fit into the memory for bodies; Content-Length needs less"};
}

/// A body has to fit into held memory.
Settings consistent(Settings settings) {
    Limits& limits = settings.limits;
    limits.body_bytes =
        std::min(limits.body_bytes, MemoryBudget(limits.memory_bytes).held().bytes() - request_bytes);
    return settings;
}

}  // namespace

Application::Application(Settings settings, const std::vector<converter::Variant>& variants)
    : settings_(consistent(std::move(settings))),
      budget_(settings_.limits.memory_bytes),
      variants_(variants, settings_.session, metrics_),
      queue_(settings_.workers, settings_.queue, [this](bool has_run) { tidy(has_run); }),
      server_(server_options()) {
    budget_.held().set_reclaim([this] { return jobs_.remove_oldest(); });
}

http::Options Application::server_options() {
    return {.limits = settings_.limits.http,
            .routes = routes(),
            .fields = security_fields(),
            .guard = {},  // the port is not known yet
            .problem_answer = problem_answer,
            .problem_of = current_problem,
            .answered = [this](std::string_view pattern, int status, double seconds) {
                metrics_.count_request(pattern, status, seconds);
            }};
}

std::string Application::bind() {
    int port = 0;
    try {
        port = server_.bind(settings_.host, settings_.port);
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::failed, "cannot listen on " + http::url_host(settings_.host) + ":" +
                                           std::to_string(settings_.port) + ": " + error.code().message());
    }
    models_text_ = json_answer(200, models_json()).body;
    server_.set_guard([guard = http::Guard(settings_.host, port, settings_.allowed_hosts)](
                          const http::Request& request) { guard.check(request); });
    const std::string host = http::is_wildcard(settings_.host) ? "localhost" : http::url_host(settings_.host);
    return "http://" + host + ":" + std::to_string(port) + "/";
}

void Application::run() {
    try {
        server_.run();
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::failed, "no connection can be accepted any more: " + error.code().message());
    }
    // Nobody is there any more whom its result could be told.
    queue_.stop();
    end_running();
}

void Application::stop() noexcept {
    constexpr std::chrono::seconds for_last_answers{2};
    queue_.stop();
    server_.stop(settings_.limits.grace + for_last_answers);
}

std::vector<http::Route> Application::routes() {
    std::vector<http::Route> routes;
    add_assets(routes);
    add_v1(routes);
    add_v2(routes);
    routes.push_back(get_route("/healthz", [this](const http::Request& /*request*/) {
        model::Json json;
        json.set("status", server_.is_stopping() ? "stopping" : "ok");
        return json_answer(200, json);
    }));
    routes.push_back(get_route("/metrics", [this](const http::Request& /*request*/) {
        const Gauges gauges{.queue_length = queue_.waiting(),
                            .in_flight = queue_.running(),
                            .connections = server_.connections(),
                            .memory = &budget_};
        return http::Answer{.type = "text/plain; version=0.0.4", .body = metrics_.text(gauges)};
    }));
    return routes;
}

void Application::add_assets(std::vector<http::Route>& routes) const {
    for (const Asset& asset : assets()) {
        routes.push_back(get_route(asset.path, [&asset](const http::Request& request) {
            return bytes_answer(request, asset.bytes, asset.type, asset.etag);
        }));
    }
}

http::Route Application::queued_route(const char* pattern, Body body, BodyHandler handle) {
    return {.pattern = pattern,
            .method = "POST",
            .most_body_bytes = settings_.limits.body_bytes,
            .admit =
                [this, body](const ExchangePtr& exchange) {
                    admit(exchange, body);
                    return http::Admission::now;
                },
            .handle =
                [handle = std::move(handle)](const ExchangePtr& exchange) {
                    const auto memory = std::static_pointer_cast<Reservation>(std::move(exchange->context));
                    handle(exchange, std::move(*memory));
                }};
}

void Application::tidy(bool has_run) noexcept {
    if (!jobs_.remove_old() && !has_run) return;
    ::malloc_trim(0);  // freed memory between what is in use stays with the process otherwise
}

void Application::admit(const ExchangePtr& exchange, Body body) {
    check_type(body, exchange->request());
    queue_.require_place();
    const auto length = static_cast<std::size_t>(exchange->request().content_length.value_or(0));
    held_memory(request_bytes + length);  // refused before the client sends it
    const auto memory = std::make_shared<Reservation>(held_memory(request_bytes));
    exchange->on_body_growth([this, memory](std::size_t bytes) {
        const std::size_t wanted = bytes + request_bytes;
        if (wanted > budget_.held().bytes()) throw does_not_fit();
        if (wanted > memory->bytes() && !memory->grow(wanted - memory->bytes())) throw memory_is_full();
        memory->shrink(wanted);
    });
    exchange->context = memory;
}

Reservation Application::held_memory(std::size_t bytes) {
    auto memory = budget_.held().reserve(bytes);
    if (!memory) throw memory_is_full();
    return std::move(*memory);
}

void Application::submit(const ExchangePtr& exchange, const std::shared_ptr<Task>& task,
                         std::function<http::Answer()> answer) {
    task->limit_time(settings_.limits.run);
    task->when_finished([this, exchange, answer = std::move(answer)] {
        try {
            http::Answer finished = answer();
            finished.lease = std::make_shared<Reservation>(held_memory(finished.body.capacity()));
            exchange->respond(std::move(finished));
        } catch (...) {
            exchange->respond(current_problem());
        }
    });
    exchange->on_departure([this, task] {
        task->cancel();
        queue_.withdraw(task);
    });
    queue_.submit(task);
}

}  // namespace vgg19::server
