// Sends the same request again and again on some connections that stay open, and measures.
//   vgg19-load PORT CONNECTIONS SECONDS PATH [BODY_FILE CONTENT_TYPE]
// Prints answers per second, and the median and the 99th percentile of their times in milliseconds. Exits
// with 1 if any answer is not 200.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "vgg19-load: %s\n", why.c_str());
    std::exit(1);
}

std::string file_content(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

int connected(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail("cannot connect");
    }
    return socket;
}

class Connection {
  public:
    explicit Connection(int port) : port_(port), socket_(connected(port)) {}

    int socket() const { return socket_; }

    void send(std::string_view request) {
        sent_ = Clock::now();
        while (!request.empty()) {
            const ssize_t count = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
            if (count <= 0) fail("cannot send");
            request.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    /// Receives; true if the answer is complete.
    bool receive() {
        std::array<char, 65536> bytes;
        const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
        if (count <= 0) fail("the server closed the connection");
        text_.append(bytes.data(), static_cast<std::size_t>(count));
        const std::size_t end = text_.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        if (!text_.starts_with("HTTP/1.1 200")) fail("answer: " + text_.substr(0, 200));
        constexpr std::string_view field = "\r\nContent-Length: ";
        const std::size_t length = text_.find(field);
        std::size_t size = 0;
        std::from_chars(text_.data() + length + field.size(), text_.data() + end, size);
        if (length > end || text_.size() < end + 4 + size) return false;
        closes_ = text_.find("\r\nConnection: close\r\n") < end;
        text_.clear();
        return true;
    }

    double milliseconds() const {
        return std::chrono::duration<double, std::milli>(Clock::now() - sent_).count();
    }

    /// After the last answer that the server gives on a connection.
    bool reopen_if_closed() {
        if (!closes_) return false;
        ::close(socket_);
        socket_ = connected(port_);
        return true;
    }

  private:
    int port_;
    int socket_;
    bool closes_ = false;
    Clock::time_point sent_;
    std::string text_;
};

void watch(int poller, Connection& connection) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    ::epoll_ctl(poller, EPOLL_CTL_ADD, connection.socket(), &event);
}

std::vector<double> measured(int port, std::size_t count, double seconds, const std::string& request) {
    const int poller = ::epoll_create1(0);
    std::vector<Connection> connections;
    connections.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        watch(poller, connections.emplace_back(port));
        connections.back().send(request);
    }
    std::vector<double> times;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end) {
        std::array<epoll_event, 64> events{};
        const int ready = ::epoll_wait(poller, events.data(), static_cast<int>(events.size()), 10000);
        if (ready <= 0) fail("no answer for 10 seconds");
        for (int i = 0; i < ready; ++i) {
            Connection& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!connection.receive()) continue;
            times.push_back(connection.milliseconds());
            if (connection.reopen_if_closed()) watch(poller, connection);
            connection.send(request);
        }
    }
    return times;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5 && argc != 7) fail("expected PORT CONNECTIONS SECONDS PATH [BODY_FILE CONTENT_TYPE]");
    const std::string host = std::string("\r\nHost: localhost:") + argv[1] + "\r\n";
    std::string request = std::string(argc == 7 ? "POST " : "GET ") + argv[4] + " HTTP/1.1" + host;
    if (argc == 7) {
        const std::string body = file_content(argv[5]);
        request += std::string("Content-Type: ") + argv[6] +
                   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    } else {
        request += "\r\n";
    }
    const double seconds = std::strtod(argv[3], nullptr);
    std::vector<double> times =
        measured(std::atoi(argv[1]), static_cast<std::size_t>(std::atoi(argv[2])), seconds, request);
    if (times.empty()) fail("no answer");
    std::sort(times.begin(), times.end());
    std::printf("%.0f %.3f %.3f\n", static_cast<double>(times.size()) / seconds, times[times.size() / 2],
                times[times.size() * 99 / 100]);
    return 0;
}
