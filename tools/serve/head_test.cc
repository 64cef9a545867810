#include "tools/serve/head.h"

#include <doctest/doctest.h>

#include <string>

#include "tools/serve/problem.h"

namespace {

using namespace vgg19::server;

int status_of(const std::string& text) {
    try {
        static_cast<void>(framing_of(parse_head(text)));
    } catch (const Problem& problem) {
        return problem.status();
    }
    return 0;
}

std::string with_fields(const std::string& fields) {
    return "GET / HTTP/1.1\r\n" + fields + "\r\n";
}

}  // namespace

TEST_CASE("a head is a request line and fields with lower-case names") {
    const Head head =
        parse_head("POST /v1/classify?top=1 HTTP/1.1\r\nHOST: a:1\r\nX-Y:\t b c \r\nEmpty:\r\n\r\n");
    CHECK(head.method == "POST");
    CHECK(head.target == "/v1/classify?top=1");
    CHECK(head.version == "HTTP/1.1");
    CHECK(head.value("host") == "a:1");
    CHECK(head.value("x-y") == "b c");
    CHECK(head.find("empty") != nullptr);
    CHECK(head.value("missing").empty());
    CHECK(head.find("missing") == nullptr);
}

TEST_CASE("ambiguous requests are refused") {
    for (const char* fields :
         {" folded: 1\r\n", "A: 1\n", "A : 1\r\n", ": 1\r\n", "A\r\n", "A: \x01\r\n", "A: \x7f\r\n",
          "Host: a\r\nhost: b\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
          "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Content-Length: -1\r\n",
          "Content-Length: 1, 1\r\n", "Content-Length:\r\n", "Content-Length: 18446744073709551616\r\n"}) {
        CAPTURE(fields);
        CHECK(status_of(with_fields(fields)) == 400);
    }
    for (const char* line :
         {"", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " / HTTP/1.1", "G(T / HTTP/1.1",
          "GET a HTTP/1.1", "GET /\x80 HTTP/1.1", "GET /\t HTTP/1.1", "GET / FTP/1.1"}) {
        CAPTURE(line);
        CHECK(status_of(std::string(line) + "\r\n\r\n") == 400);
    }
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n") == 400);
    CHECK(status_of("GET / HTTP/3\r\n\r\n") == 505);
    CHECK(status_of(with_fields("Transfer-Encoding: gzip\r\n")) == 501);
    CHECK(status_of(with_fields("A: 1\r\nA: 2\r\n")) == 0);
}

TEST_CASE("the length of a body is a number, given by chunks, or unknown") {
    const auto framing = [](const std::string& fields) {
        return framing_of(parse_head(with_fields(fields)));
    };
    CHECK(framing("Content-Length: 12\r\n").length == 12U);
    CHECK(framing("Content-Length: 12\r\n").has_body());
    CHECK_FALSE(framing("Content-Length: 0\r\n").has_body());
    CHECK(framing("Transfer-Encoding: Chunked\r\n").chunked);
    CHECK_FALSE(framing("").length.has_value());
}

TEST_CASE("connections are kept open according to the HTTP version") {
    const auto closes = [](const std::string& version, const std::string& field) {
        return parse_head("GET / " + version + "\r\n" + field + "\r\n").closes();
    };
    CHECK_FALSE(closes("HTTP/1.1", ""));
    CHECK(closes("HTTP/1.1", "Connection: Close\r\n"));
    CHECK(closes("HTTP/1.0", ""));
    CHECK_FALSE(closes("HTTP/1.0", "Connection: keep-alive\r\n"));
}
