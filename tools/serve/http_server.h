// HTTP through httplib, with our own limits, deadlines and guards. httplib receives a request only after its
// head has been read and checked, and only the few fields that it needs.
#pragma once

#include <httplib.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "tools/serve/exchange.h"
#include "tools/serve/guard.h"
#include "tools/serve/limits.h"
#include "tools/serve/metrics.h"

namespace vgg19::server {

class HttpServer final : private httplib::Server {
  public:
    HttpServer(std::vector<Route> routes, const Limits& limits, Metrics& metrics, std::size_t threads);

    /// Returns the port; a free one if `port` is 0. Throws Error (failed).
    int bind(const std::string& host, int port);
    /// Before run().
    void set_guard(Guard guard) { guard_ = std::move(guard); }

    /// Serves until stop() is called and all started answers are finished.
    void run();
    /// May be called from any thread, once, after bind().
    void stop();
    bool is_stopping() const { return stopping_; }

  private:
    /// The state of the request that this thread handles.
    struct Current;
    static thread_local Current* current;

    bool process_and_close_socket(socket_t socket) override;
    /// Handles one request. False if the connection must be closed afterwards.
    bool serve_request(Connection& connection, bool last);
    void refuse(Connection& connection);

    /// Handles everything before the body. True if the body is to be read.
    bool begin(const httplib::Request& request, httplib::Response& response);
    void finish(const httplib::Request& request, httplib::Response& response,
                const httplib::ContentReader& reader);
    static const Route& find_route(const std::vector<Route>& routes, Exchange& exchange);
    void read_body(Exchange& exchange, const httplib::ContentReader& reader) const;
    void set_connection_fields(httplib::Response& response) const;

    std::vector<Route> routes_;
    const Limits& limits_;
    Metrics& metrics_;
    Guard guard_;
    std::atomic<bool> stopping_ = false;
};

}  // namespace vgg19::server
