// A server on a thread of its own, and clients that talk to it, for tests.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tools/serve/http/server.h"

namespace vgg19::http::testing {

inline constexpr std::chrono::milliseconds patience{20'000};

/// Calls until it returns true. False if that takes too long.
template <typename Condition>
bool becomes_true(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

class Client {
  public:
    explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~Client() { close(); }
    Client(Client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Client& operator=(Client&&) = delete;

    bool is_connected() const { return connected_; }

    bool send(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }

    /// What comes until it contains `end`, or the server closes, or it takes too long.
    std::string receive_until(std::string_view end) const {
        std::string text;
        while (end.empty() || text.find(end) == std::string::npos) {
            const std::string part = receive_some();
            if (part.empty()) break;
            text += part;
        }
        return text;
    }
    std::string receive_all() const { return receive_until(""); }

    /// The next bytes; none at the end, or after too long a time.
    std::string receive_some(std::chrono::milliseconds time = patience) const {
        pollfd wish{.fd = socket_, .events = POLLIN, .revents = 0};
        if (::poll(&wish, 1, static_cast<int>(time.count())) <= 0) return {};
        std::array<char, 65536> bytes{};
        const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
        return count <= 0 ? std::string() : std::string(bytes.data(), static_cast<std::size_t>(count));
    }

    /// Whether the server has closed, and all that it sent has been received.
    bool has_ended() const {
        char byte = 0;
        const ssize_t count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return count == 0 || (count < 0 && errno != EAGAIN);
    }

    void half_close() const { ::shutdown(socket_, SHUT_WR); }
    void close() {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }
    void reset() {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

  private:
    int socket_;
    bool connected_ = false;
};

class Served {
  public:
    explicit Served(Options options)
        : server(std::move(options)), port(server.bind("127.0.0.1", 0)), thread_([this] { server.run(); }) {}
    ~Served() { stop(std::chrono::milliseconds(0)); }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;

    void stop(std::chrono::milliseconds grace) {
        server.stop(grace);
        if (thread_.joinable()) thread_.join();
    }

    /// The whole answer to one request on a connection of its own.
    std::string get(std::string_view path) const {
        const Client client(port);
        client.send("GET " + std::string(path) + " HTTP/1.1\r\nConnection: close\r\n\r\n");
        return client.receive_all();
    }

    Server server;
    const int port;

  private:
    std::thread thread_;
};

using ExchangePtr = std::shared_ptr<Exchange>;
using Handle = std::function<void(const std::shared_ptr<Exchange>&)>;

inline Route get(std::string pattern, Handle handle) {
    return {.pattern = std::move(pattern), .method = "GET", .admit = {}, .handle = std::move(handle)};
}

inline Route post(std::string pattern, std::size_t most_body_bytes, Handle handle) {
    return {.pattern = std::move(pattern),
            .method = "POST",
            .most_body_bytes = most_body_bytes,
            .admit = {},
            .handle = std::move(handle)};
}

/// Answers with the text at once.
inline Handle says(std::string text) {
    return [text = std::move(text)](const std::shared_ptr<Exchange>& exchange) {
        exchange->respond(Answer{.type = "text/plain", .body = text});
    };
}

/// Answers with the body, which may have up to 1 MB.
inline Route echo() {
    return post("/echo", 1'000'000, [](const std::shared_ptr<Exchange>& exchange) {
        exchange->respond(Answer{.type = "text/plain", .body = std::move(exchange->body)});
    });
}

/// Exchanges that a handler has kept.
class Kept {
  public:
    Handle keeps() {
        return [this](const ExchangePtr& exchange) {
            const std::scoped_lock lock(mutex_);
            kept_.push_back(exchange);
        };
    }
    /// Waits for it; null after too long a time.
    ExchangePtr next() {
        ExchangePtr exchange;
        becomes_true([&] {
            const std::scoped_lock lock(mutex_);
            if (kept_.empty()) return false;
            exchange = kept_.front();
            kept_.pop_front();
            return true;
        });
        return exchange;
    }

  private:
    std::mutex mutex_;
    std::deque<ExchangePtr> kept_;
};

inline std::string request(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\n" + fields + "\r\n";
}

inline std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

}  // namespace vgg19::http::testing
