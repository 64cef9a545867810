// The server when the system has no memory, no descriptors and no luck.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "engine/testing/allocation_meter.h"
#include "tools/serve/http/testing/served.h"

namespace {

using namespace vgg19::http;
using namespace vgg19::http::testing;

/// What accept4() fails with next, before it works again.
std::deque<int>& errors_to_come() {
    static std::deque<int> errors;
    return errors;
}

}  // namespace

// In place of the system's, which the server would call. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
    if (!errors_to_come().empty()) {
        errno = errors_to_come().front();
        errors_to_come().pop_front();
        return -1;
    }
    using Function = int (*)(int, sockaddr*, socklen_t*, int);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "accept4"));
    return real(socket, address, size, flags);
}

namespace {

/// A server that works only while it is polled, on this thread.
class Polled {
  public:
    explicit Polled(Options options = {.routes = {get("/fast", says("fast")), echo()}})
        : server(std::move(options)), port(server.bind("127.0.0.1", 0)) {}

    /// All that comes up to `end`, or until the server closes; polls meanwhile.
    std::string received(const Client& client, std::string_view end = "") {
        std::string text;
        const auto limit = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < limit) {
            server.poll();
            const std::string part = client.receive_some(std::chrono::milliseconds(1));
            text += part;
            if (end.empty() ? is_closed(client) : text.find(end) != std::string::npos) break;
        }
        return text;
    }

    bool answers() {
        const Client client(port);
        client.send("GET /fast HTTP/1.1\r\n\r\n");
        return received(client, "\r\n\r\nfast").starts_with("HTTP/1.1 200 ");
    }

    Server server;
    const int port;

  private:
    static bool is_closed(const Client& client) { return client.has_ended(); }
};

/// While it exists, the process has no descriptors left but `spared`.
class NoDescriptors {
  public:
    explicit NoDescriptors(std::size_t spared) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 256);
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (int one = ::open("/dev/null", O_RDONLY); one >= 0; one = ::open("/dev/null", O_RDONLY)) {
            taken_.push_back(one);
        }
        for (std::size_t i = 0; i < spared; ++i) give_back();
    }
    ~NoDescriptors() {
        while (!taken_.empty()) give_back();
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

    void give_back() {
        ::close(taken_.back());
        taken_.pop_back();
    }

  private:
    rlimit before_{};
    std::vector<int> taken_;
};

}  // namespace

TEST_CASE("small pieces are not delayed: every accepted socket has TCP_NODELAY") {
    Polled polled;
    CHECK(polled.answers());
    const Client client(polled.port);
    client.send("GET /fast HTTP/1.1\r\n\r\n");
    CHECK(polled.received(client, "fast").ends_with("fast"));
    std::size_t found = 0;
    for (int socket = 3; socket < 256; ++socket) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        int delays_not = 0;
        socklen_t option_size = sizeof delays_not;
        if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
        if (address.sin_family != AF_INET || ntohs(address.sin_port) != polled.port) continue;
        int listens = 0;
        socklen_t listens_size = sizeof listens;
        ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size);
        if (listens != 0) continue;
        ::getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &delays_not, &option_size);
        CHECK(delays_not != 0);
        ++found;
    }
    CHECK(found > 0);
}

TEST_CASE("no error of accept() ends the server") {
    Polled polled;
    for (const int error :
         {EMFILE,      ENFILE,     ENOBUFS,    ENOMEM,          ECONNABORTED,    EPROTO,    EPERM,
          EINTR,       EAGAIN,     ENETDOWN,   ENETUNREACH,     ENONET,          EHOSTDOWN, EHOSTUNREACH,
          ENOPROTOOPT, EOPNOTSUPP, ETIMEDOUT,  EINVAL,          EBADF,           ENOTSOCK,  EFAULT,
          EIO,         ENOSR,      ECONNRESET, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPIPE,     12345}) {
        for (const std::size_t times : {1U, 3U, 200U}) {
            CAPTURE(error);
            CAPTURE(times);
            const Client client(polled.port);
            client.send("GET /fast HTTP/1.1\r\n\r\n");
            errors_to_come().assign(times, error);
            for (int i = 0; i < 3; ++i) CHECK_NOTHROW(polled.server.poll());
            errors_to_come().clear();
            CHECK(polled.answers());
        }
    }
}

TEST_CASE("a listening socket that is gone ends the server with an error") {
    Polled polled;
    polled.server.poll();
    // The only listening socket of this process.
    for (int socket = 3; socket < 256; ++socket) {
        int listens = 0;
        socklen_t size = sizeof listens;
        if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0) {
            ::shutdown(socket, SHUT_RDWR);
        }
    }
    CHECK_THROWS_AS(polled.server.run(), std::system_error);
}

TEST_CASE("without descriptors idle connections make room, or clients are refused at once") {
    Polled polled;
    polled.server.poll();
    const Client waiting(polled.port);
    const Client next(polled.port);
    next.send("GET /fast HTTP/1.1\r\n\r\n");
    {
        NoDescriptors none(0);
        CHECK(polled.received(waiting).starts_with("HTTP/1.1 503 "));
        CHECK(polled.received(next).starts_with("HTTP/1.1 503 "));
    }
    CHECK(polled.answers());
    const auto has_connections = [&](std::size_t count) {
        return becomes_true([&] {
            polled.server.poll();
            return polled.server.connections() == count;
        });
    };
    CHECK(has_connections(0));
    const Client idle(polled.port);
    CHECK(has_connections(1));
    const Client wants(polled.port);
    wants.send("GET /fast HTTP/1.1\r\n\r\n");
    const NoDescriptors none(0);
    CHECK(polled.received(wants, "fast").starts_with("HTTP/1.1 200 "));
    CHECK(polled.received(idle).empty());
}

TEST_CASE(
    "whichever allocation fails, the request is refused or its connection closed, and the server lives") {
    const std::string chunks =
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: "
        "close\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    const std::vector<std::string> requests = {
        "GET /fast HTTP/1.1\r\nConnection: close\r\n\r\n",
        chunks,
        "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n" +
            std::string(5000, 'a'),
        "GET /fast?a=b%20c HTTP/1.1\r\nA: " + std::string(500, 'b') + "\r\n\r\n" + chunks,
        "GET /missing HTTP/1.1\r\nConnection: close\r\n\r\n",
        "malformed\r\n\r\n"};
    for (const std::string& request : requests) {
        Polled polled;
        CHECK(polled.answers());
        long failed = 0;
        for (bool ran_through = false; !ran_through; ++failed) {
            CAPTURE(failed);
            const Client client(polled.port);
            client.send(request);
            client.half_close();
            vgg19::testing::allocations_until_failure = failed;
            for (int i = 0; i < 20; ++i) polled.server.poll();
            ran_through = vgg19::testing::allocations_until_failure >= 0;
            vgg19::testing::allocations_until_failure = -1;
            polled.received(client);
            REQUIRE(polled.answers());
            REQUIRE(failed < 2000);
        }
        CHECK(failed > 5);
        for (int i = 0; i < 3; ++i) polled.server.poll();
        CHECK(polled.server.connections() <= 1);
    }
}
