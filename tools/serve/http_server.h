// HTTP by httplib: what it accepts, parses and answers, behind limits, deadlines and guards of ours. httplib
// sees a request only when its head was read and checked, and only the few fields that it needs of it.
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

    /// Returns the port, which is a free one when `port` is 0. Throws Error (failed).
    int bind(const std::string& host, int port);
    /// Before run().
    void set_guard(Guard guard) { guard_ = std::move(guard); }

    /// Serves until stop(), and until every answer that was begun is finished.
    void run();
    /// Any thread may call it, once, after bind().
    void stop();
    bool is_stopping() const { return stopping_; }

  private:
    /// What belongs to the request that this thread talks about.
    struct Current;
    static thread_local Current* current;

    bool process_and_close_socket(socket_t socket) override;
    /// One request. False when the connection is to be closed after it.
    bool serve_request(Connection& connection, bool last);
    void refuse(Connection& connection);

    /// All that is known before the body is read. True when the body is to be read.
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
