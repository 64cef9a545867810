// Bytes on a connection, through a socket into the server: its answers must be whole and well-formed, as many
// as it should give, and nothing may follow a refusal. The first byte says where the bytes are cut into
// pieces.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/http/problem.h"
#include "tools/serve/http/request_reader.h"
#include "tools/serve/http/server.h"

namespace {

namespace http = vgg19::http;
using ExchangePtr = std::shared_ptr<http::Exchange>;

void require(bool condition) {
    if (!condition) std::abort();
}

constexpr std::size_t most_body_bytes = 300;

http::Limits limits() {
    constexpr std::chrono::hours ever{1000};  // the machine may stop for a while
    return {.request_line_bytes = 200,
            .head_bytes = 600,
            .chunk_line_bytes = 40,
            .trailer_bytes = 100,
            .read_ahead_bytes = 100,
            .requests_a_connection = 20,
            .head = ever,
            .request = ever,
            .keep_alive = ever,
            .write = ever,
            .linger = ever};
}

void tell_pieces(const ExchangePtr& exchange) {
    exchange->stream({.type = "text/plain"}, {.next = [left = 3](std::string& text) mutable {
                         text = "piece";
                         return --left > 0 ? http::Source::State::more : http::Source::State::end;
                     }});
}

http::Server& server() {
    static http::Server one({
        .limits = limits(),
        .routes = {{.pattern = "/a",
                    .method = "GET",
                    .admit = {},
                    .handle =
                        [](const ExchangePtr& exchange) { exchange->respond(http::Answer{.body = "a"}); }},
                   {.pattern = "/s/{id}", .method = "GET", .admit = {}, .handle = tell_pieces},
                   {.pattern = "/b",
                    .method = "POST",
                    .most_body_bytes = most_body_bytes,
                    .admit =
                        [](const ExchangePtr& exchange) {
                            if (exchange->request().find("x") == nullptr) return http::Admission::now;
                            exchange->read_body();
                            return http::Admission::later;
                        },
                    .handle =
                        [](const ExchangePtr& exchange) {
                            require(exchange->body.size() <= most_body_bytes);
                            exchange->respond(http::Answer{.body = std::move(exchange->body)});
                        }}},
    });
    return one;
}

/// The answers to the bytes.
std::string answers(std::string_view bytes, std::size_t piece) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) std::abort();
    server().adopt(ends[1]);
    std::string received;
    std::array<char, 65536> buffer{};
    const auto take = [&] {
        server().poll();
        for (ssize_t count = 0; (count = ::recv(ends[0], buffer.data(), buffer.size(), 0)) > 0;) {
            received.append(buffer.data(), static_cast<std::size_t>(count));
        }
    };
    while (!bytes.empty()) {
        const std::string_view part = bytes.substr(0, piece);
        if (::send(ends[0], part.data(), part.size(), MSG_NOSIGNAL) <= 0) break;
        bytes.remove_prefix(part.size());
        take();
    }
    ::shutdown(ends[0], SHUT_WR);
    for (int i = 0; i < 100 && server().connections() > 0; ++i) take();
    take();
    require(server().connections() == 0);
    ::close(ends[0]);
    return received;
}

/// The methods of the requests in the bytes, up to the first that is malformed.
std::vector<std::string> methods_in(std::string_view bytes) {
    static const http::Limits own_limits = limits();
    http::RequestReader reader(own_limits);
    std::vector<std::string> methods;
    try {
        while (!bytes.empty()) {
            const bool had_head = reader.has_head();
            const std::size_t used = reader.read(bytes, [](std::string_view /*piece*/) {});
            bytes.remove_prefix(used);
            if (!had_head && reader.has_head()) methods.push_back(reader.request().method);
            if (reader.is_complete()) {
                reader.reset();
            } else if (used == 0) {
                break;
            }
        }
    } catch (const http::Problem&) {  // is answered, too
    }
    return methods;
}

/// Takes one answer from the text; its status, or 0 if the text is none. `closes` tells its Connection field.
int take_answer(std::string_view& text, bool is_head, bool& closes) {
    constexpr std::string_view begin = "HTTP/1.1 ";
    if (!text.starts_with(begin)) return 0;
    const int status = std::atoi(std::string(text.substr(begin.size(), 3)).c_str());
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = text.substr(0, end + 2);
    text.remove_prefix(end + 4);
    closes = head.find("\r\nConnection: close\r\n") != std::string_view::npos;
    const std::size_t length = head.find("\r\nContent-Length: ");
    if (is_head || status == 100) return status;
    if (length != std::string_view::npos) {
        const std::size_t bytes = std::stoul(std::string(head.substr(length + 18)));
        if (bytes > text.size()) return 0;
        text.remove_prefix(bytes);
    } else if (head.find("\r\nTransfer-Encoding: chunked\r\n") != std::string_view::npos) {
        constexpr std::string_view stream = "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n";
        if (!text.starts_with(stream)) return 0;
        text.remove_prefix(stream.size());
    } else {
        if (!closes || text != "piecepiecepiece") return 0;
        text = {};
    }
    return status;
}

constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";

/// What was sent in between depends on when a body arrived.
std::string without_interim(std::string text) {
    for (std::size_t at = text.find(interim); at != std::string::npos; at = text.find(interim, at)) {
        text.erase(at, interim.size());
    }
    return text;
}

/// Whether the text is whole answers: at most one for each request and one refusal, and none after one that
/// closes.
void check(std::string_view bytes, std::string_view text) {
    const std::vector<std::string> methods = methods_in(bytes);
    std::size_t count = 0;
    while (!text.empty()) {
        bool closes = false;
        const bool is_head = count < methods.size() && methods[count] == "HEAD";
        const int status = take_answer(text, is_head, closes);
        require(status != 0);
        if (status == 100) continue;
        ++count;
        require(!closes || text.empty());
    }
    require(count <= methods.size() + 1);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string whole = answers(bytes, bytes.size());
    check(bytes, whole);
    const std::size_t piece = 1 + data[0] % 64;
    require(without_interim(answers(bytes, piece)) == without_interim(whole));
    return 0;
}
