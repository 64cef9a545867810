#include "tools/serve/application.h"

#include <chrono>
#include <utility>

#include "tools/serve/assets.h"
#include "tools/serve/guard.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

/// Additional threads beyond those of running and waiting requests: for /healthz and similar, and for slow
/// clients.
constexpr std::size_t spare_threads = 32;

}  // namespace

Application::Application(Settings settings, const std::vector<converter::Variant>& variants)
    : settings_(std::move(settings)),
      variants_(variants, settings_.session, metrics_),
      queue_(settings_.workers, settings_.queue),
      server_(routes(), settings_.limits, metrics_, settings_.workers + settings_.queue + spare_threads) {}

std::string Application::bind() {
    const int port = server_.bind(settings_.host, settings_.port);
    server_.set_guard(Guard(settings_.host, port, settings_.allowed_hosts));
    const std::string host = is_wildcard(settings_.host) ? "localhost" : url_host(settings_.host);
    return "http://" + host + ":" + std::to_string(port) + "/";
}

void Application::run() {
    constexpr std::chrono::seconds glance{1};
    server_.run();
    if (!server_.is_stopping()) throw Error(ErrorKind::failed, "no connection can be accepted any more");
    // The thread that called stop() may still be inside it.
    while (!stopped_.wait_for(glance)) {
    }
}

void Application::stop() {
    queue_.stop();
    server_.stop();
    stopped_.set();
}

std::vector<Route> Application::routes() {
    std::vector<Route> routes;
    add_assets(routes);
    add_v1(routes);
    add_v2(routes);
    routes.push_back({.pattern = "/healthz", .method = "GET", .handler = [this](Exchange& exchange) {
                          model::Json json;
                          json.set("status", server_.is_stopping() ? "stopping" : "ok");
                          answer_json(exchange.response, 200, json);
                      }});
    routes.push_back({.pattern = "/metrics", .method = "GET", .handler = [this](Exchange& exchange) {
                          const Gauges gauges{.queue_length = queue_.waiting(),
                                              .in_flight = queue_.running()};
                          exchange.response.status = 200;
                          exchange.response.set_content(metrics_.text(gauges), "text/plain; version=0.0.4");
                      }});
    return routes;
}

void Application::add_assets(std::vector<Route>& routes) const {
    for (const Asset& asset : assets()) {
        routes.push_back({.pattern = asset.path, .method = "GET", .handler = [&asset](Exchange& exchange) {
                              answer_bytes(exchange, asset.bytes, asset.type, asset.etag);
                          }});
    }
}

void Application::wait_for(const std::shared_ptr<Task>& task, const Finish& finish,
                           const Exchange& exchange) {
    constexpr std::chrono::milliseconds glance{50};
    while (!finish.wait_for(glance)) {
        if (task->is_cancelled() || !exchange.connection.client_is_gone()) continue;
        task->cancel();
        queue_.withdraw(task);
    }
}

}  // namespace vgg19::server
