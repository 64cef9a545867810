// A client's socket, as httplib reads requests from it: nothing gets through that is too long, too late or
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
    /// The socket stays the caller's.
    Connection(int socket, const Limits& limits) : socket_(socket), limits_(limits) {}

    /// Waits for a request's first byte, which starts its clock. False when none came in time, the client
    /// closed, or the server is stopping.
    bool wait_for_request(const std::atomic<bool>& stopping);

    /// Throws Problem: 400, 408, 414, 431, 505; 0 for a client that closed instead.
    Head read_head();

    /// What httplib reads next: `head`, and then the body.
    void replay(std::string head, const Framing& framing);

    /// Why a body could not be read to its end.
    const std::optional<Problem>& read_problem() const { return read_problem_; }

    /// Whether nobody will read an answer. A client that closes its sending side counts as gone, too.
    bool client_is_gone() const;

    bool send(std::string_view text) { return write(text.data(), text.size()) >= 0; }

    /// Says that nothing more comes, and reads what the client still sends, for a while: a client that is
    /// busy sending would not see the answer when the socket were closed under it.
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

    /// Appends what has come to received_. Throws Problem: 408 after the deadline, 0 when the client closed.
    void receive();
    bool wait_for(short events, Clock::time_point deadline) const;

    int socket_;
    const Limits& limits_;
    Clock::time_point deadline_;
    std::string received_;    ///< and not yet read
    std::string replayed_;    ///< to be read before that
    std::size_t budget_ = 0;  ///< bytes that may still be read of the body, its framing included
    std::optional<Problem> read_problem_;
};

}  // namespace vgg19::server
