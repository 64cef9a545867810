#include "tools/serve/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace vgg19::server {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t receive_bytes = 16384;
/// How often a waiting connection checks whether the server is stopping.
constexpr milliseconds glance{100};

/// poll(); reports interruptions and errors as readiness, so that the next call sees them.
bool happens(int socket, short events, milliseconds time) {
    pollfd request{.fd = socket, .events = events, .revents = 0};
    return ::poll(&request, 1, static_cast<int>(std::max<milliseconds::rep>(time.count(), 0))) != 0;
}

Problem too_slow() {
    return {408, "request_timeout", "the request did not come in time"};
}

Problem closed() {
    return {0, "closed", "the client closed the connection"};
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

bool Connection::wait_for(short events, Clock::time_point deadline) const {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    return left.count() > 0 && happens(socket_, events, left);
}

bool Connection::wait_for_request(const std::atomic<bool>& stopping) {
    const Clock::time_point end = Clock::now() + limits_.keep_alive;
    while (received_.empty()) {
        if (stopping || Clock::now() >= end) return false;
        if (!happens(socket_, POLLIN, glance)) continue;
        deadline_ = Clock::now() + limits_.request;
        try {
            receive();
        } catch (const Problem&) {
            return false;
        }
    }
    deadline_ = Clock::now() + limits_.request;
    return true;
}

void Connection::receive() {
    std::array<char, receive_bytes> bytes{};
    while (true) {
        if (!wait_for(POLLIN, deadline_)) throw too_slow();
        const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count > 0) {
            received_.append(bytes.data(), static_cast<std::size_t>(count));
            return;
        }
        if (count == 0 || !would_block()) throw closed();
    }
}

Head Connection::read_head() {
    while (true) {
        // Some clients send an empty line after a body.
        while (received_.starts_with("\r\n")) received_.erase(0, 2);
        // Reject non-HTTP data, such as a TLS greeting, without waiting for its end.
        if (!received_.empty() && received_ != "\r" && (received_[0] < 'A' || received_[0] > 'Z')) {
            throw Problem(400, "bad_request", "expected an HTTP request");
        }
        const std::size_t first_line = received_.find('\n');
        if (std::min(first_line, received_.size()) > limits_.request_line_bytes) {
            throw Problem(
                414, "uri_too_long",
                "request line: expected at most " + std::to_string(limits_.request_line_bytes) + " bytes");
        }
        const std::size_t end = received_.find("\r\n\r\n");
        if (std::min(end, received_.size()) > limits_.head_bytes) {
            throw Problem(431, "headers_too_large",
                          "header: expected at most " + std::to_string(limits_.head_bytes) + " bytes");
        }
        if (end != std::string::npos || received_.find("\n\n") != std::string::npos) {
            const std::string text = received_.substr(0, std::min(end, received_.size() - 4) + 4);
            received_.erase(0, text.size());
            return parse_head(text);
        }
        receive();
    }
}

void Connection::replay(std::string head, const Framing& framing) {
    replayed_ = std::move(head);
    read_problem_.reset();
    // Chunks may be as short as one byte; limit the framing to the size of the body.
    budget_ = framing.chunked ? 2 * limits_.body_bytes + receive_bytes
                              : static_cast<std::size_t>(framing.length.value_or(0));
}

ssize_t Connection::read(char* bytes, std::size_t size) {
    const auto take_from = [&](std::string& source, std::size_t most) {
        const std::size_t count = std::min({size, source.size(), most});
        std::copy_n(source.data(), count, bytes);
        source.erase(0, count);
        return static_cast<ssize_t>(count);
    };
    if (!replayed_.empty()) return take_from(replayed_, replayed_.size());
    try {
        if (budget_ == 0) {
            throw Problem(413, "payload_too_large",
                          "body: expected at most " + std::to_string(limits_.body_bytes) + " bytes");
        }
        if (received_.empty()) receive();
    } catch (const Problem& problem) {
        read_problem_ = problem;
        return -1;
    }
    const ssize_t count = take_from(received_, budget_);
    budget_ -= static_cast<std::size_t>(count);
    return count;
}

ssize_t Connection::write(const char* bytes, std::size_t size) {
    const Clock::time_point end = Clock::now() + limits_.write;
    std::size_t written = 0;
    while (written < size) {
        const ssize_t count = ::send(socket_, bytes + written, size - written, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            written += static_cast<std::size_t>(count);
        } else if (!would_block() || !wait_for(POLLOUT, end)) {
            return -1;
        }
    }
    return static_cast<ssize_t>(size);
}

bool Connection::client_is_gone() const {
    char byte = 0;
    const ssize_t count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && !would_block());
}

void Connection::close_gently() {
    constexpr std::size_t most_bytes = std::size_t{64} << 20U;
    constexpr milliseconds most_time{1000};
    ::shutdown(socket_, SHUT_WR);
    const Clock::time_point end = Clock::now() + most_time;
    std::array<char, receive_bytes> bytes{};
    for (std::size_t total = 0; total < most_bytes && wait_for(POLLIN, end);) {
        const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && !would_block())) return;
        total += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
}

// Not used; httplib would add the results to the request's header fields.
void Connection::get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}
void Connection::get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}

}  // namespace vgg19::server
