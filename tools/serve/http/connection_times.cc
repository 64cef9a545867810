// The part of a connection that depends on the time.
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <optional>

#include "tools/serve/http/connection.h"

namespace vgg19::http {

namespace {

/// The state of a TCP connection; none for a socket of another kind.
std::optional<int> tcp_state(int socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    return info.tcpi_state;
}

}  // namespace

void Connection::tick(Clock::time_point now) noexcept {
    guarded([&] {
        switch (state_) {
            case State::head:
            case State::body:
                if (now <= deadline_) break;
                refuse(Problem(408, "request_timeout", "the request did not come in time"));
                break;
            case State::admission:
            case State::working:
                exchange_->check_deadline(now);
                if (!reading_ && !peer_closed_ && client_has_closed()) peer_left(false);
                break;
            case State::streaming:
                tick_stream(now);
                break;
            case State::writing:
                if (now > deadline_) reset();
                break;
            default:
                tick_end(now);
        }
    });
}

void Connection::tick_stream(Clock::time_point now) {
    if (!source_is_idle_) {
        if (now > deadline_) reset();
        return;
    }
    if (now - last_written_ < source_->longest_silence || source_->filler.empty()) return;
    append_chunk(output_, source_->filler);
    source_is_idle_ = false;
    deadline_ = now + core_.options.limits.write;
    write();
}

/// Closes a connection that is over. What the system has of the answers is delivered before, for a while.
void Connection::tick_end(Clock::time_point now) {
    const bool is_over = now > deadline_ || (state_ == State::lingering && peer_closed_);
    if (!is_over) return;
    if (!has_undelivered()) {
        close();
    } else if (now > deadline_ + core_.options.limits.write) {
        reset();
    }
}

/// Whether the client has not acknowledged all that was sent, and still can.
bool Connection::has_undelivered() {
    const std::optional<int> state = tcp_state(socket_.native_handle());
    if (!state || *state == TCP_CLOSE) return false;
    int bytes = 0;
    return ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

/// Whether the client has closed its sending side although what it sent before has not been read.
bool Connection::client_has_closed() {
    const std::optional<int> state = tcp_state(socket_.native_handle());
    return state && (*state == TCP_CLOSE_WAIT || *state == TCP_CLOSE);
}

}  // namespace vgg19::http
