#include "tools/serve/http/server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tools/serve/http/testing/served.h"

namespace {

using namespace vgg19::http;
using namespace vgg19::http::testing;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

}  // namespace

TEST_CASE("a route is found by path and method, and HEAD has the fields of GET") {
    const Served served({.routes = {get("/a", says("hello")), get("/b/{id}",
                                                                  [](const ExchangePtr& exchange) {
                                                                      exchange->respond(Answer{
                                                                          .body = exchange->request().id});
                                                                  })},
                         .fields = {{"X-Always", "1"}}});
    CHECK(served.get("/a") ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Always: 1\r\nConnection: "
          "close\r\n\r\nhello");
    CHECK(served.get("/b/seven?x=y").ends_with("\r\n\r\nseven"));
    CHECK(served.get("/c").starts_with("HTTP/1.1 404 Not Found\r\n"));
    const Client client(served.port);
    client.send("HEAD /a HTTP/1.1\r\n\r\nPOST /a HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const std::string text = client.receive_all();
    CHECK(
        text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Always: "
                         "1\r\n\r\nHTTP/1.1 405 "));
    CHECK(text.find("Allow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("answers come in the order of their requests, whenever they are given") {
    Kept slow;
    const Served served({.routes = {get("/slow", slow.keeps()), get("/fast", says("fast"))}});
    const Client client(served.port);
    client.send(request("/fast") + request("/slow") + request("/fast") +
                request("/slow", "Connection: close\r\n"));
    for (const char* text : {"first", "second"}) {
        const ExchangePtr exchange = slow.next();
        CHECK_FALSE(exchange->has_departed());
        CHECK(exchange->respond(Answer{.body = text}));
        CHECK_FALSE(exchange->respond(Answer{.body = "again"}));
    }
    const std::string all = client.receive_all();
    const std::size_t at[] = {all.find("fast"), all.find("first"), all.rfind("fast"), all.find("second")};
    CHECK(std::is_sorted(std::begin(at), std::end(at)));
    CHECK(count_of(all, "HTTP/1.1 200 OK") == 4);
}

TEST_CASE("a stream is sent in chunks as its source has them, and ends with it") {
    Kept kept;
    const Served served({.routes = {get("/stream", kept.keeps())}});
    Client client(served.port);
    client.send(request("/stream"));
    std::mutex mutex;
    std::deque<std::string> pieces = {"one", "two"};
    bool ended = false;
    const ExchangePtr exchange = kept.next();
    exchange->stream({.type = "text/event-stream"}, {.next = [&](std::string& text) {
                         const std::scoped_lock lock(mutex);
                         if (pieces.empty()) return ended ? Source::State::end : Source::State::idle;
                         text = pieces.front();
                         pieces.pop_front();
                         return Source::State::more;
                     }});
    const std::string begin = client.receive_until("two\r\n");
    CHECK(begin.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(begin.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n"));
    {
        const std::scoped_lock lock(mutex);
        pieces.push_back("three is longer");
        ended = true;
    }
    exchange->wake();
    CHECK(client.receive_until("0\r\n\r\n") == "f\r\nthree is longer\r\n0\r\n\r\n");
    client.send(request("/none", "Connection: close\r\n"));  // the connection goes on
    CHECK(client.receive_all().starts_with("HTTP/1.1 404 "));
}

TEST_CASE("a silent stream is kept alive by its filler") {
    Kept kept;
    const Served served({.routes = {get("/stream", kept.keeps())}});
    const Client client(served.port);
    client.send(request("/stream"));
    kept.next()->stream({}, {.next = [](std::string&) { return Source::State::idle; },
                             .filler = ":\n",
                             .longest_silence = 150ms});
    CHECK(client.receive_until("\r\n\r\n2\r\n:\n\r\n2\r\n:\n\r\n").find(":\n") != std::string::npos);
}

TEST_CASE("HTTP/1.0 gets a stream up to the connection's end") {
    const Served served({.routes = {get("/stream", [](const ExchangePtr& exchange) {
                             exchange->stream({}, {.next = [](std::string& text) {
                                                  text = "all";
                                                  return Source::State::end;
                                              }});
                         })}});
    const Client client(served.port);
    client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const std::string text = client.receive_all();
    CHECK(text.find("Connection: close\r\n") != std::string::npos);
    CHECK(text.ends_with("\r\n\r\nall"));
}

TEST_CASE("exceptions of handlers are answers") {
    std::mutex mutex;
    std::vector<std::pair<std::string, int>> counted;
    const auto answered = [&](std::string_view pattern, int status, double) {
        const std::scoped_lock lock(mutex);
        counted.emplace_back(pattern, status);
    };
    {
        const Served served(
            {.routes = {get("/problem",
                            [](const ExchangePtr&) { throw Problem(418, "teapot", "short and stout"); }),
                        get("/error", [](const ExchangePtr&) { throw std::runtime_error("broken"); }),
                        get("/number", [](const ExchangePtr&) { throw 7; })},
             .guard =
                 [](const Request& request) {
                     if (request.value("host") == "evil") throw Problem(403, "forbidden", "go away");
                 },
             .answered = answered});
        CHECK(served.get("/problem").ends_with("short and stout\n"));
        CHECK(served.get("/error").starts_with("HTTP/1.1 500 "));
        CHECK(served.get("/number").starts_with("HTTP/1.1 500 "));
        const Client client(served.port);
        client.send(request("/problem", "Host: evil\r\nConnection: close\r\n"));
        CHECK(client.receive_all().starts_with("HTTP/1.1 403 "));
    }
    CHECK(counted == std::vector<std::pair<std::string, int>>{
                         {"/problem", 418}, {"/error", 500}, {"/number", 500}, {"", 403}});
}

TEST_CASE("stopping closes idle connections and waits for answers, for a while") {
    Kept kept;
    for (const bool answers : {true, false}) {
        CAPTURE(answers);
        Served served({.routes = {get("/slow", kept.keeps())}});
        const Client idle(served.port);
        const Client waiting(served.port);
        waiting.send(request("/slow"));
        const ExchangePtr exchange = kept.next();
        std::atomic<bool> left = false;
        exchange->on_departure([&] { left = true; });
        served.server.stop(answers ? 20s : 300ms);
        CHECK(served.server.is_stopping());
        CHECK(idle.receive_all().empty());
        CHECK_FALSE(left);
        if (answers) exchange->respond(Answer{.body = "done"});
        const std::string text = waiting.receive_all();
        CHECK(text.ends_with(answers ? "done" : ""));
        CHECK((text.find("Connection: close") != std::string::npos) == answers);
        served.stop(20s);
        CHECK(left == !answers);
        CHECK_FALSE(Client(served.port).is_connected());
        CHECK_FALSE(exchange->respond(Answer{}));
    }
}

TEST_CASE("exchanges may outlive the server") {
    ExchangePtr exchange;
    {
        Kept kept;
        const Served served({.routes = {get("/slow", kept.keeps())}});
        const Client client(served.port);
        client.send(request("/slow"));
        exchange = kept.next();
    }
    CHECK(exchange->has_departed());
    exchange->wake();
    exchange->read_body();
    CHECK_FALSE(exchange->respond(Problem(500, "a", "b")));
    CHECK_FALSE(exchange->stream({}, {}));
    CHECK(exchange->request().path == "/slow");
}

TEST_CASE("many threads answer at once") {
    std::mutex mutex;
    std::condition_variable arrived;
    std::deque<ExchangePtr> waiting;
    bool over = false;
    const Served served({.routes = {get("/{id}", [&](const ExchangePtr& exchange) {
                             const std::scoped_lock lock(mutex);
                             waiting.push_back(exchange);
                             arrived.notify_one();
                         })}});
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
        workers.emplace_back([&] {
            std::unique_lock lock(mutex);
            while (true) {
                arrived.wait(lock, [&] { return over || !waiting.empty(); });
                if (waiting.empty()) return;
                const ExchangePtr exchange = std::move(waiting.front());
                waiting.pop_front();
                lock.unlock();
                exchange->respond(Answer{.body = "<" + exchange->request().id + ">"});
                lock.lock();
            }
        });
    }
    std::vector<std::thread> clients;
    std::atomic<int> right = 0;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&, i] {
            const Client client(served.port);
            for (int j = 0; j < 100; ++j) {
                const std::string name = std::to_string(1000 * i + j);
                client.send(request("/" + name));
                if (client.receive_until(">").ends_with("<" + name + ">")) ++right;
            }
        });
    }
    for (std::thread& client : clients) client.join();
    {
        const std::scoped_lock lock(mutex);
        over = true;
        arrived.notify_all();
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(right == 800);
}

TEST_CASE("a port that is taken is an error") {
    Server first({});
    const int port = first.bind("127.0.0.1", 0);
    Server second({});
    CHECK_THROWS_AS(second.bind("127.0.0.1", port), std::system_error);
    CHECK_THROWS_AS(second.bind("no.such.host.invalid", 0), std::system_error);
    CHECK(Server({}).bind("localhost", 0) > 0);
}
