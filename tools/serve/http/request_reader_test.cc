#include "tools/serve/http/request_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tools/serve/http/problem.h"

namespace {

using namespace vgg19::http;

/// What a connection's bytes mean.
struct Meaning {
    std::vector<std::string> requests;  ///< "METHOD TARGET: BODY"
    int refusal = 0;  ///< the status of what follows; 0: it is incomplete, or there is nothing

    bool operator==(const Meaning&) const = default;
};

class Listener {
  public:
    explicit Listener(Limits limits = {}) : limits_(limits), reader_(limits_) {}

    void hear(std::string_view bytes) {
        received_ += bytes;
        while (meaning.refusal == 0 && !received_.empty()) {
            const std::size_t before = received_.size();
            try {
                read();
            } catch (const Problem& problem) {
                meaning.refusal = problem.status();
            }
            if (received_.size() == before) return;
        }
    }

    Meaning meaning;

  private:
    void read() {
        const bool had_head = reader_.has_head();
        received_.erase(0, reader_.read(received_, [&](std::string_view piece) { body_ += piece; }));
        if (!had_head && reader_.has_head()) reader_.limit_body(100);
        if (!reader_.is_complete()) return;
        meaning.requests.push_back(reader_.request().method + " " + reader_.request().target + ": " + body_);
        body_.clear();
        reader_.reset();
    }

    const Limits limits_;
    RequestReader reader_;
    std::string received_;
    std::string body_;
};

Meaning meaning_of(std::string_view bytes, std::size_t piece) {
    Listener listener;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        listener.hear(bytes.substr(0, piece));
    }
    return listener.meaning;
}

/// The meaning, which must not depend on how the bytes are cut.
Meaning meaning_of(const std::string& bytes) {
    const Meaning whole = meaning_of(bytes, bytes.size());
    CHECK(meaning_of(bytes, 1) == whole);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        Listener listener;
        listener.hear(std::string_view(bytes).substr(0, cut));
        listener.hear(std::string_view(bytes).substr(cut));
        CAPTURE(cut);
        CHECK(listener.meaning == whole);
    }
    return whole;
}

std::string chunked(const std::string& body) {
    return "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

const std::string behind = "GET /b HTTP/1.1\r\n\r\n";

}  // namespace

TEST_CASE("requests follow each other, with bodies of both kinds and without") {
    CHECK(meaning_of(behind).requests == std::vector<std::string>{"GET /b: "});
    CHECK(meaning_of("\r\n\r\n" + behind + "\r\n" + behind).requests.size() == 2);
    CHECK(meaning_of("POST /a HTTP/1.1\r\ncontent-length:  5 \r\n\r\n a\r\nb" + behind).requests ==
          std::vector<std::string>{"POST /a:  a\r\nb", "GET /b: "});
    CHECK(meaning_of("POST /a HTTP/1.0\r\nContent-Length: 0\r\n\r\n" + behind).requests.size() == 2);
    for (const char* body :
         {"3\r\nabc\r\n0\r\n\r\n", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
          "0003;a;b=\"c;\\\"d\" ; e = f\r\nabc\r\n000;g\r\n\r\n", "3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n"}) {
        CAPTURE(body);
        CHECK(meaning_of(chunked(body) + behind).requests ==
              std::vector<std::string>{"POST /a: abc", "GET /b: "});
    }
    CHECK(meaning_of(chunked("0\r\n\r\n") + behind).requests ==
          std::vector<std::string>{"POST /a: ", "GET /b: "});
    CHECK(meaning_of(chunked("B\r\n\r\n0\r\n\r\n \t\r\n\r\n0\r\n\r\n") + behind).requests ==
          std::vector<std::string>{"POST /a: \r\n0\r\n\r\n \t\r\n", "GET /b: "});
}

TEST_CASE("a head's fields have lower-case names and trimmed values") {
    const Limits limits;
    RequestReader reader(limits);
    const std::string head = "GET /?a=b HTTP/1.1\r\nHOST: a:1\r\nX-Y:\t b c \r\nEmpty:\r\nempty: 2\r\n\r\n";
    CHECK(reader.read(head + behind, [](std::string_view) {}) == head.size());
    REQUIRE(reader.has_head());
    const Request& request = reader.request();
    CHECK(request.value("host") == "a:1");
    CHECK(request.value("x-y") == "b c");
    CHECK(request.count("empty") == 2);
    CHECK(request.find("empty")->empty());
    CHECK(request.find("missing") == nullptr);
    CHECK(request.path == "/");
    CHECK_FALSE(request.is_1_0);
}

TEST_CASE("malformed heads are refused, and nothing behind them is a request") {
    const auto refusal = [](const std::string& text) {
        const Meaning meaning = meaning_of(text + behind);
        CHECK(meaning.requests.empty());
        return meaning.refusal;
    };
    for (const char* fields : {" folded: 1\r\n",
                               "\tfolded: 1\r\n",
                               "A: 1\r\n 2\r\n",
                               "A: 1\r\n\t2\r\n",
                               "A: 1\n",
                               "A : 1\r\n",
                               ": 1\r\n",
                               "A\r\n",
                               "A: \x01\r\n",
                               "A: \x7f\r\n",
                               "A: b\rc\r\n",
                               "A\xe9: 1\r\n",
                               "A(: 1\r\n",
                               "Host: a\r\nhost: b\r\n",
                               "Content-Length: 1\r\nContent-Length: 1\r\n",
                               "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                               "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                               "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                               "Content-Length: -1\r\n",
                               "Content-Length: 1, 1\r\n",
                               "Content-Length:\r\n",
                               "Content-Length: 1 1\r\n",
                               "Content-Length: 18446744073709551616\r\n",
                               "Content-Type: a\r\nContent-Type: a\r\n"}) {
        CAPTURE(fields);
        CHECK(refusal(std::string("GET / HTTP/1.1\r\n") + fields + "\r\n") == 400);
    }
    CHECK(refusal(std::string("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 27)) == 400);
    for (const char* coding :
         {"gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "\"chunked\""}) {
        CAPTURE(coding);
        CHECK(refusal(std::string("GET / HTTP/1.1\r\nTransfer-Encoding: ") + coding + "\r\n\r\n") == 501);
    }
    CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("malformed request lines are refused") {
    const auto refusal = [](const std::string& line) {
        return meaning_of(line + "\r\n\r\n" + behind).refusal;
    };
    for (const char* line : {"G",
                             "GET",
                             "GET /",
                             "GET / H",
                             "GET  / HTTP/1.1",
                             "GET / HTTP/1.1 ",
                             " GET / HTTP/1.1",
                             "G(T / HTTP/1.1",
                             "get / HTTP/1.1",
                             "GET a HTTP/1.1",
                             "GET http://a/ HTTP/1.1",
                             "GET * HTTP/1.1",
                             "GET /\x80 HTTP/1.1",
                             "GET /\t HTTP/1.1",
                             "GET /#a HTTP/1.1",
                             "GET /% HTTP/1.1",
                             "GET / FTP/1.1",
                             "GET / http/1.1",
                             "\x16\x03\x01",
                             "GET /\rHTTP/1.1"}) {
        CAPTURE(line);
        CHECK(refusal(line) == 400);
    }
    for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.10", "HTTP/3"}) {
        CAPTURE(version);
        CHECK(refusal(std::string("GET / ") + version) == 505);
    }
    CHECK(meaning_of("GET / HTTP/1.1\n\n").refusal == 400);
}

TEST_CASE("malformed chunks are refused, and nothing behind them is a request") {
    for (const char* body : {"3\r\nabcXY0\r\n\r\n",
                             "3\r\nabc0\r\n\r\n",
                             "3\r\nabc\n0\r\n\r\n",
                             "3\r\nabc\r0\r\n\r\n",
                             "2\r\nabc\r\n0\r\n\r\n",
                             "4\r\nabc\r\n0\r\n\r\n",
                             "3\nabc\r\n0\r\n\r\n",
                             "3\rabc\r\n0\r\n\r\n",
                             "0x3\r\nabc\r\n0\r\n\r\n",
                             "0x0\r\n\r\n",
                             "+3\r\nabc\r\n0\r\n\r\n",
                             "-3\r\nabc\r\n0\r\n\r\n",
                             "-0\r\n\r\n",
                             "\r\n\r\n",
                             ";a\r\n\r\n",
                             " 3\r\nabc\r\n0\r\n\r\n",
                             "3 \r\nabc\r\n0\r\n\r\n",
                             "g\r\nabc\r\n0\r\n\r\n",
                             "3g\r\nabc\r\n0\r\n\r\n",
                             "10000000000000003\r\nabc\r\n0\r\n\r\n",
                             "3;\r\nabc\r\n0\r\n\r\n",
                             "3;a=\r\nabc\r\n0\r\n\r\n",
                             "3;a=\"\r\nabc\r\n0\r\n\r\n",
                             "3;a=\"\x01\"\r\nabc\r\n0\r\n\r\n",
                             "3;a\nb\r\nabc\r\n0\r\n\r\n",
                             "3\r\nabc\r\n0\n\r\n",
                             "3\r\nabc\r\n0\r\n\n",
                             "3\r\nabc\r\n0\r\nX",
                             "3\r\nabc\r\n0\r\nA\r\n\r\n",
                             "3\r\nabc\r\n0\r\nA : b\r\n\r\n",
                             "3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n",
                             "3\r\nabc\r\n0\r\nA: b\n\r\n",
                             "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n",
                             "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        CAPTURE(body);
        const Meaning meaning = meaning_of(chunked(body) + behind);
        CHECK(meaning.requests.empty());
        CHECK(meaning.refusal == 400);
    }
}

TEST_CASE("what is too long is refused before its end") {
    const auto refusal = [](const std::string& text) { return meaning_of(text, 1).refusal; };
    CHECK(refusal("GET /" + std::string(2100, 'a')) == 414);
    CHECK(refusal("GET / HTTP/1.1\r\nA: " + std::string(8200, 'a')) == 431);
    CHECK(refusal(chunked("3;" + std::string(300, 'a'))) == 400);
    CHECK(refusal(chunked(std::string(300, '0'))) == 400);
    std::string trailer = "0\r\n";
    while (trailer.size() < 5000) trailer += "A: b\r\n";
    CHECK(refusal(chunked(trailer)) == 431);
    CHECK(refusal(chunked("65\r\n")) == 413);  // 101 bytes
    CHECK(refusal(chunked("64\r\n" + std::string(100, 'a') + "\r\n1\r\n")) == 413);
    CHECK(refusal(chunked("1\r\na\r\nffffffffffffffff\r\n")) == 413);
    CHECK(refusal("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n") == 413);
    CHECK(meaning_of(chunked("64\r\n" + std::string(100, 'a') + "\r\n0\r\n\r\n"), 1).requests.size() == 1);
}
