#include "tools/serve/application.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "tools/serve/assets.h"
#include "tools/serve/http/guard.h"
#include "vgg19/error.h"

namespace vgg19::server {

Application::Application(Settings settings, const std::vector<converter::Variant>& variants)
    : settings_(std::move(settings)),
      variants_(variants, settings_.session, metrics_),
      queue_(settings_.workers, settings_.queue),
      server_(server_options()) {}

http::Options Application::server_options() {
    return {.limits = settings_.limits.http,
            .routes = routes(),
            .fields = security_fields(),
            .guard = {},  // the port is not known yet
            .problem_answer = problem_answer,
            .problem_of = current_problem,
            .answered = [this](std::string_view pattern, int status, double seconds) {
                metrics_.count_request(std::string(pattern), status, seconds);
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
    server_.set_guard([guard = http::Guard(settings_.host, port, settings_.allowed_hosts)](
                          const http::Request& request) { guard.check(request); });
    const std::string host = http::is_wildcard(settings_.host) ? "localhost" : http::url_host(settings_.host);
    return "http://" + host + ":" + std::to_string(port) + "/";
}

void Application::run() {
    constexpr std::chrono::seconds glance{1};
    try {
        server_.run();
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::failed, "no connection can be accepted any more: " + error.code().message());
    }
    // The thread that called stop() may still be inside it.
    while (!stopped_.wait_for(glance)) {
    }
}

void Application::stop() {
    constexpr std::chrono::hours longest{24};
    queue_.stop();
    server_.stop(longest);
    stopped_.set();
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
        const Gauges gauges{.queue_length = queue_.waiting(), .in_flight = queue_.running()};
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

http::Route Application::queued_route(const char* pattern, Body body,
                                      std::function<void(const ExchangePtr&)> handle) {
    return {.pattern = pattern,
            .method = "POST",
            .most_body_bytes = settings_.limits.body_bytes,
            .admit =
                [this, body](const ExchangePtr& exchange) {
                    check_type(body, exchange->request());
                    queue_.require_place();
                    return http::Admission::now;
                },
            .handle = std::move(handle)};
}

void Application::submit(const ExchangePtr& exchange, const std::shared_ptr<Task>& task,
                         std::function<http::Answer()> answer) {
    task->when_finished([exchange, answer = std::move(answer)] {
        try {
            exchange->respond(answer());
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
