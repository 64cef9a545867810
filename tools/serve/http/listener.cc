#include "tools/serve/http/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vgg19::http {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr int listen_backlog = 256;
constexpr int most_at_once = 64;  ///< then connections that are there come first

Client client_of(const sockaddr_storage& address) {
    std::uint64_t number = 0;
    if (address.ss_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
        return {AF_INET, v4->sin_addr.s_addr};
    }
    if (address.ss_family == AF_INET6) {
        const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6)) {
            std::uint32_t v4 = 0;
            std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
            return {AF_INET, v4};
        }
        std::memcpy(&number, &v6, sizeof number);
    }
    return {address.ss_family, number};
}

int accept_one(int listener, sockaddr_storage& address) {
    socklen_t size = sizeof address;
    return ::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

bool is_readable(int socket) {
    pollfd wish{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&wish, 1, 0) > 0;
}

tcp::acceptor listening(boost::asio::io_context& context, const tcp::endpoint& endpoint, error_code& error) {
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(listen_backlog, error);
    return acceptor;
}

}  // namespace

Listener::~Listener() {
    close();
}

int Listener::bind(const std::string& host, int port) {
    error_code error;
    tcp::resolver resolver(core_.context);
    const auto flags = tcp::resolver::passive | tcp::resolver::numeric_service;
    const std::string name =
        host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
    const auto found = resolver.resolve(name, std::to_string(port), flags, error);
    for (const auto& entry : found) {
        tcp::acceptor acceptor = listening(core_.context, entry.endpoint(), error);
        if (error) continue;
        const int bound = acceptor.local_endpoint().port();
        acceptor.non_blocking(true);
        descriptor_.assign(acceptor.release());
        reserve_spare();
        return bound;
    }
    if (!error) error = boost::asio::error::host_not_found;
    throw std::system_error(error);
}

void Listener::arm() {
    if (is_armed()) return;
    descriptor_.async_wait(descriptor_.wait_read, [this](const error_code& error) {
        armed_ = false;
        if (!error) accept_some();
        after_accepting_();
    });
    armed_ = true;
}

void Listener::close() noexcept {
    error_code ignored;
    descriptor_.close(ignored);
    if (spare_ >= 0) ::close(std::exchange(spare_, -1));
}

void Listener::accept_some() {
    for (int i = 0; i < most_at_once && descriptor_.is_open(); ++i) {
        sockaddr_storage address{};
        const int socket = accept_one(descriptor_.native_handle(), address);
        if (socket < 0) {
            if (recovers_from(errno)) continue;
            return;
        }
        core_.adopt(socket, client_of(address));
    }
    arm();
}

/// Whether accept() can be called again at once. Otherwise either it is armed, or somebody arms it in a
/// while, or it has failed for good.
bool Listener::recovers_from(int error) {
    switch (error) {
        case EAGAIN:
            arm();
            return false;
        case EINTR:
        case ECONNABORTED:
        case EPROTO:  // and below: errors of the new connection, not of the listener
        case EPERM:
        case ENETDOWN:
        case ENETUNREACH:
        case ENONET:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENOPROTOOPT:
        case EOPNOTSUPP:
        case ETIMEDOUT:
            return true;
        case EMFILE:
        case ENFILE:
            // Also where no connection is waiting.
            if (!is_readable(descriptor_.native_handle())) {
                arm();
                return false;
            }
            return core_.make_room(nullptr) || accept_with_spare();
        default:
            break;
    }
    int listens = 0;
    socklen_t size = sizeof listens;
    const bool known =
        ::getsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0;
    if (known && listens != 0) return false;  // such as ENOBUFS and ENOMEM
    failure_ = std::error_code(error, std::system_category());
    core_.context.stop();
    return false;
}

/// Without this, clients would wait for an answer until descriptors are free again. False if that fails, too.
bool Listener::accept_with_spare() noexcept {
    if (spare_ >= 0) ::close(std::exchange(spare_, -1));
    sockaddr_storage address{};
    const int socket = accept_one(descriptor_.native_handle(), address);
    reserve_spare();
    if (socket < 0) return false;
    if (spare_ >= 0) {  // descriptors are free again
        core_.adopt(socket, client_of(address));
    } else {
        send_last_words(socket, core_.too_many_connections);
        ::close(socket);
        reserve_spare();
    }
    return true;
}

void Listener::reserve_spare() noexcept {
    if (spare_ < 0) spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace vgg19::http
