// A client's socket, from which httplib reads requests; rejects requests that are too long, too slow or
// malformed.
#pragma once

#include <httplib.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tools/serve/head.h"
#include "tools/serve/limits.h"
#include "tools/serve/problem.h"

namespace vgg19::server {

class Connection final : public httplib::Stream {
  public:
    /// The caller keeps ownership of the socket.
    Connection(int socket, const Limits& limits) : socket_(socket), limits_(limits) {}

    /// Waits for a request's first byte, which starts its deadline. False if none came in time, the client
    /// closed, or the server is stopping.
    bool wait_for_request(const std::atomic<bool>& stopping);

    /// Throws Problem: 400, 408, 414, 431, 505; 0 if the client closed the connection.
    Head read_head();

    /// Sets what httplib reads next: `head`, then the body.
    void replay(std::string head, const Framing& framing);

    /// The reason if a body could not be read completely.
    const std::optional<Problem>& read_problem() const { return read_problem_; }

    /// Whether the client will not read an answer. A client that has closed its sending side also counts as
    /// gone.
    bool client_is_gone() const;

    bool send(std::string_view text) { return write(text.data(), text.size()) >= 0; }

    /// Closes the sending side, then reads for a while what the client still sends: if the socket were closed
    /// at once, a client that is still sending would not see the answer.
    void close_gently();

    bool is_readable() const override { return true; }
    bool is_writable() const override { return !client_is_gone(); }
    ssize_t read(char* bytes, std::size_t size) override;
    ssize_t write(const char* bytes, std::size_t size) override;
    using httplib::Stream::write;
    void get_remote_ip_and_port(std::string& ip, int& port) const override;
    void get_local_ip_and_port(std::string& ip, int& port) const override;
    int socket() const override { return socket_; }

  private:
    using Clock = std::chrono::steady_clock;

    /// Appends incoming data to received_. Throws Problem: 408 after the deadline, 0 if the client closed.
    void receive();
    bool wait_for(short events, Clock::time_point deadline) const;

    int socket_;
    const Limits& limits_;
    Clock::time_point deadline_;
    std::string received_;    ///< but not yet read
    std::string replayed_;    ///< read before received_
    std::size_t budget_ = 0;  ///< bytes of the body, including its framing, that may still be read
    std::optional<Problem> read_problem_;
};

}  // namespace vgg19::server
