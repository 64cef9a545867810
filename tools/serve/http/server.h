// An HTTP/1.1 server (RFC 9112) on one thread: idle, slow and streaming connections cost no thread. Reads
// every request with one strict parser (Boost.Beast's, and what it lets pass is refused too), and closes the
// connection after anything malformed, so that no part of a request is ever taken for another one.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/http/exchange.h"
#include "tools/serve/http/limits.h"
#include "tools/serve/http/problem.h"
#include "tools/serve/http/request.h"

namespace vgg19::http {

enum class Admission : unsigned char {
    now,    ///< read the body
    later,  ///< wait for Exchange::read_body(); meanwhile the client's time to send does not run
};

/// All functions are called on the server's thread: they must not block, and what takes longer belongs on
/// another thread. They may throw Problem, which becomes the answer; other exceptions go through
/// Options::problem_of.
struct Route {
    std::string pattern;  ///< "/v1/jobs/{id}/events": {id} matches one segment that is not empty
    std::string method;   ///< "GET" (which answers HEAD too) or "POST"
    /// 0: the route reads no body; one that is sent is not read, and the connection closes after the answer.
    std::size_t most_body_bytes = 0;
    /// Called when the head has been read, before the body, if the route takes one. May answer, too; then no
    /// body is read.
    std::function<Admission(const std::shared_ptr<Exchange>&)> admit;
    /// Called when the request is complete. Answers at once, or keeps the exchange and answers later.
    std::function<void(const std::shared_ptr<Exchange>&)> handle;
};

struct Options {
    Limits limits;
    std::vector<Route> routes;
    std::vector<std::pair<std::string, std::string>> fields;  ///< sent with every answer
    /// Called for every request with a well-formed head, before anything else; throws Problem to refuse it.
    std::function<void(const Request&)> guard;
    /// The answer to a problem. `path` is "" if the request could not be read.
    std::function<Answer(const Problem&, std::string_view path)> problem_answer;
    /// Converts the exception that is being handled.
    std::function<Problem()> problem_of;
    /// Called on the server's thread after each answer. `pattern` is the route's, "" if none matched;
    /// `status` is that of the answer, and `seconds` count from the request's first byte.
    std::function<void(std::string_view pattern, int status, double seconds)> answered;
};

class Server {
  public:
    explicit Server(Options options);
    /// Closes all connections. Exchanges may outlive the server.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens, and returns the port; a free one if `port` is 0. Connections are served as soon as run() is
    /// called. `host` is a name or an address. Throws std::system_error.
    int bind(const std::string& host, int port);

    /// Before run().
    void set_guard(std::function<void(const Request&)> guard);

    /// Takes over a connected stream socket, as if it had been accepted. Before run(), or on its thread.
    void adopt(int socket);

    /// Serves on this thread until stop() is called and all requests that had begun are answered. Errors of
    /// accept() and lack of memory or descriptors end at most the connections concerned. Throws
    /// std::system_error only if the listening socket itself is closed or broken.
    void run();
    /// In place of run(): does what can be done without waiting, on this thread. Throws as run() does.
    void poll();
    /// May be called from any thread, any number of times. Accepts no more connections, closes idle ones, and
    /// lets run() return when all others are answered, or after `grace` at the latest, when it closes them.
    void stop(std::chrono::milliseconds grace) noexcept;
    bool is_stopping() const noexcept;

    /// From any thread.
    std::size_t connections() const noexcept;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vgg19::http
