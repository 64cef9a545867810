#include "tools/serve/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "tools/serve/connection_threads.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int listen_backlog = 256;

/// Sent with every answer. The page may load only from this server, and no other page may embed it.
const httplib::Headers& security_fields() {
    static const httplib::Headers fields = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"}};
    return fields;
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The fields that httplib needs. It would decode percent signs in other fields and act on Range, Expect and
/// more; and it would reject unknown methods before this server can.
std::string head_for_httplib(const Head& head, const Framing& framing) {
    const bool is_known = head.method == "POST" || head.method == "HEAD";
    std::string text = (is_known ? head.method : "GET") + " " + head.target + " HTTP/1.1\r\n";
    if (framing.chunked) text += "Transfer-Encoding: chunked\r\n";
    if (framing.length) text += "Content-Length: " + std::to_string(*framing.length) + "\r\n";
    return text + "\r\n";
}

/// An answer to a request that is not passed to httplib.
std::string raw_answer(const Problem& problem) {
    httplib::Response response;
    answer_problem(response, "", problem);
    // The reason phrase has no meaning and may be empty.
    std::string text = "HTTP/1.1 " + std::to_string(problem.status()) + " \r\nConnection: close\r\n";
    text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    for (const auto& fields : {response.headers, security_fields()}) {
        for (const auto& [name, value] : fields) text.append(name).append(": ").append(value).append("\r\n");
    }
    return text + "\r\n" + response.body;
}

}  // namespace

struct HttpServer::Current {
    const Head& head;
    const Framing& framing;
    Connection& connection;
    bool closes = false;  ///< close the connection after this request
    const Route* route = nullptr;
    std::optional<Exchange> exchange{};
    int status = 0;
};

thread_local HttpServer::Current* HttpServer::current = nullptr;

HttpServer::HttpServer(std::vector<Route> routes, const Limits& limits, Metrics& metrics, std::size_t threads)
    : routes_(std::move(routes)), limits_(limits), metrics_(metrics), guard_("", 0, {}) {
    new_task_queue = [threads] { return new ConnectionThreads(threads); };
    set_default_headers(security_fields());
    set_tcp_nodelay(true);
    // httplib's default options would let a second server use the same port.
    set_socket_options([](int socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
        return begin(request, response) ? HandlerResponse::Unhandled : HandlerResponse::Handled;
    });
    Post(".*", [this](const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& reader) { finish(request, response, reader); });
    // For requests that httplib itself rejects, such as a target with two question marks.
    set_error_handler(HandlerWithResponse([](const httplib::Request& request, httplib::Response& response) {
        if (!response.body.empty()) return HandlerResponse::Unhandled;
        answer_problem(response, request.path,
                       {response.status, response.status >= 500 ? "internal" : "bad_request",
                        "the request is malformed"});
        return HandlerResponse::Handled;
    }));
    set_post_routing_handler([this](const httplib::Request& /*request*/, httplib::Response& response) {
        set_connection_fields(response);
    });
}

int HttpServer::bind(const std::string& host, int port) {
    errno = 0;
    const int bound = port == 0 ? bind_to_any_port(host) : (bind_to_port(host, port) ? port : -1);
    if (bound <= 0) {
        throw Error(ErrorKind::failed, "cannot listen on " + url_host(host) + ":" + std::to_string(port) +
                                           (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
    }
    ::listen(svr_sock_, listen_backlog);  // called again, because httplib requests a backlog of 5
    return bound;
}

void HttpServer::run() {
    listen_after_bind();
}

void HttpServer::stop() {
    stopping_ = true;
    // httplib's stop() would interrupt answers in progress; this only ends its accept() loop.
    ::shutdown(svr_sock_, SHUT_RDWR);
}

bool HttpServer::process_and_close_socket(int socket) {
    Connection connection(socket, limits_);
    if (ConnectionThreads::refuses()) {
        refuse(connection);
    } else {
        bool open = true;
        for (std::size_t i = 1; open && connection.wait_for_request(stopping_); ++i) {
            open = serve_request(connection, i == limits_.requests_a_connection);
        }
    }
    ::close(socket);
    return true;
}

/// Runs on the accepting thread, so it must not wait for the client.
void HttpServer::refuse(Connection& connection) {
    const Problem problem(503, "queue_full", "too many connections");
    connection.send(raw_answer(problem));
    // Read what the client sent; otherwise closing would discard the answer.
    std::array<char, 65536> bytes{};
    ::shutdown(connection.socket(), SHUT_WR);
    while (::recv(connection.socket(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
    }
    metrics_.count_request("", problem.status(), 0);
}

bool HttpServer::serve_request(Connection& connection, bool last) {
    const Clock::time_point start = Clock::now();
    Head head;
    Framing framing;
    try {
        head = connection.read_head();
        framing = framing_of(head);
    } catch (const Problem& problem) {
        if (problem.status() == 0) return false;
        connection.send(raw_answer(problem));
        metrics_.count_request("", problem.status(), seconds_since(start));
        connection.close_gently();
        return false;
    }
    Current now{.head = head, .framing = framing, .connection = connection, .closes = last || head.closes()};
    connection.replay(head_for_httplib(head, framing), framing);
    current = &now;
    bool ignored = false;
    const bool answered = process_request(connection, now.closes, ignored, nullptr);
    current = nullptr;
    metrics_.count_request(now.route == nullptr ? "" : now.route->pattern, now.status, seconds_since(start));
    if (answered && now.closes) connection.close_gently();
    return answered && !now.closes;
}

bool HttpServer::begin(const httplib::Request& request, httplib::Response& response) {
    Current& now = *current;
    Exchange& exchange = now.exchange.emplace(Exchange{.head = now.head,
                                                       .connection = now.connection,
                                                       .response = response,
                                                       .path = request.path,
                                                       .query = request.params});
    const bool has_body = now.framing.has_body();
    try {
        guard_.check(now.head);
        now.route = &find_route(routes_, exchange);
        if (now.route->body == Body::none) {
            now.closes |= has_body;  // the body is not read
            now.route->handler(exchange);
            return false;
        }
        check_body(*now.route, now.head, now.framing, limits_.body_bytes);
        if (now.route->admit) now.route->admit();
        if (now.head.find("expect") != nullptr) now.connection.send("HTTP/1.1 100 Continue\r\n\r\n");
        return true;
    } catch (...) {
        now.closes |= has_body;
        answer_problem(response, request.path, current_problem());
        return false;
    }
}

void HttpServer::finish(const httplib::Request& request, httplib::Response& response,
                        const httplib::ContentReader& reader) {
    Current& now = *current;
    try {
        read_body(*now.exchange, reader);
        now.route->handler(*now.exchange);
    } catch (...) {
        // If a body could not be read, its rest may still arrive.
        now.closes |= now.connection.read_problem().has_value() || now.framing.chunked;
        answer_problem(response, request.path, current_problem());
    }
}

const Route& HttpServer::find_route(const std::vector<Route>& routes, Exchange& exchange) {
    std::string allowed;
    const std::string& method = exchange.head.method;
    for (const Route& route : routes) {
        if (!matches(route.pattern, exchange.path, exchange.id)) continue;
        const bool answers_head = route.method == "GET" && method == "HEAD";
        if (route.method == method || answers_head) return route;
        allowed += (allowed.empty() ? "" : ", ") + route.method + (route.method == "GET" ? ", HEAD" : "");
    }
    if (allowed.empty()) throw Problem(404, "not_found", "there is no such path");
    exchange.response.set_header("Allow", allowed);
    throw Problem(405, "method_not_allowed", "expected " + allowed);
}

void HttpServer::read_body(Exchange& exchange, const httplib::ContentReader& reader) const {
    const std::size_t most = limits_.body_bytes;
    exchange.body.reserve(static_cast<std::size_t>(current->framing.length.value_or(0)));
    bool too_long = false;
    const bool complete = reader([&](const char* bytes, std::size_t count) {
        too_long = exchange.body.size() + count > most;
        if (!too_long) exchange.body.append(bytes, count);
        return !too_long;
    });
    exchange.response.status = -1;  // httplib has set a status of its own
    if (complete) return;
    if (too_long) {
        throw Problem(413, "payload_too_large", "body: expected at most " + std::to_string(most) + " bytes");
    }
    if (exchange.connection.read_problem()) throw Problem(*exchange.connection.read_problem());
    throw Problem(400, "bad_request", "body: malformed chunk");
}

/// Called immediately before an answer is written.
void HttpServer::set_connection_fields(httplib::Response& response) const {
    current->status = response.status;
    current->closes |=
        stopping_ || !current->exchange;  // without an exchange, httplib rejected the request unread
    response.headers.erase("Connection");
    response.headers.erase("Keep-Alive");
    response.headers.erase("Accept-Ranges");
    if (current->closes) response.set_header("Connection", "close");
    if (!current->exchange) return;
    std::string timing;
    for (const std::string& line : current->exchange->noted) timing += (timing.empty() ? "" : ", ") + line;
    if (!timing.empty()) response.set_header("Server-Timing", timing);
}

}  // namespace vgg19::server
