#include "tools/serve/http/server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
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
using ExchangePtr = std::shared_ptr<Exchange>;
using Clock = std::chrono::steady_clock;

/// Exchanges that a handler has kept.
class Kept {
  public:
    Handle keeps() {
        return [this](const ExchangePtr& exchange) {
            const std::scoped_lock lock(mutex_);
            kept_.push_back(exchange);
        };
    }
    ExchangePtr next() {
        ExchangePtr exchange;
        CHECK(becomes_true([&] {
            const std::scoped_lock lock(mutex_);
            if (kept_.empty()) return false;
            exchange = kept_.front();
            kept_.pop_front();
            return true;
        }));
        return exchange;
    }

  private:
    std::mutex mutex_;
    std::deque<ExchangePtr> kept_;
};

std::string request(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\n" + fields + "\r\n";
}

std::size_t threads() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
}

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

TEST_CASE("a thousand requests sent ahead are answered in order") {
    const Served served({.routes = {get("/{id}", [](const ExchangePtr& exchange) {
                             exchange->respond(Answer{.body = "<" + exchange->request().id + ">"});
                         })}});
    std::string all;
    for (int i = 0; i < 999; ++i) all += request("/" + std::to_string(i));
    const Client client(served.port);
    std::thread sender([&] { client.send(all + request("/end", "Connection: close\r\n")); });
    const std::string text = client.receive_all();
    sender.join();
    std::size_t at = 0;
    for (int i = 0; i < 999 && at != std::string::npos; ++i)
        at = text.find("<" + std::to_string(i) + ">", at);
    CHECK(at != std::string::npos);
    CHECK(text.ends_with("<end>"));
}

TEST_CASE("connections that are silent, slow or streaming cost no thread and delay nobody") {
    Kept streams;
    const Served served({.routes = {get("/stream", streams.keeps()), get("/fast", says("fast")), echo()}});
    const std::size_t before = threads();
    std::vector<Client> clients;
    for (int i = 0; i < 60; ++i) {
        for (const char* beginning : {"", "GET /fast HT", "GET /stream HTTP/1.1\r\n\r\n",
                                      "POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\na"}) {
            clients.emplace_back(served.port);
            clients.back().send(beginning);
        }
    }
    for (int i = 0; i < 60; ++i) {
        const ExchangePtr exchange = streams.next();
        exchange->stream({.type = "text/event-stream"}, {.next = [](std::string& text) {
                             text = "a";
                             return Source::State::idle;
                         }});
    }
    CHECK(becomes_true([&] { return served.server.connections() == clients.size(); }));
    const auto begin = Clock::now();
    for (int i = 0; i < 20; ++i) CHECK(served.get("/fast").ends_with("fast"));
    CHECK(Clock::now() - begin < 2s);
    CHECK(threads() == before);
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

TEST_CASE("a stream to a client that takes nothing is not asked for more, and is closed in time") {
    Kept kept;
    const Served served({.limits = {.write = 300ms}, .routes = {get("/stream", kept.keeps())}});
    const Client client(served.port);
    client.send(request("/stream"));
    std::atomic<std::size_t> bytes = 0;
    std::atomic<bool> left = false;
    const ExchangePtr exchange = kept.next();
    exchange->on_departure([&] { left = true; });
    exchange->stream({}, {.next = [&](std::string& text) {
                         text.assign(100'000, 'a');
                         bytes += text.size();
                         return Source::State::more;
                     }});
    CHECK(becomes_true([&] { return left.load(); }));
    CHECK(bytes < 50'000'000);  // what the system's buffers take
    CHECK(becomes_true([&] { return served.server.connections() == 0; }));
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

TEST_CASE("a client that leaves is noticed while its request is worked on") {
    Kept kept;
    const Served served({.routes = {get("/slow", kept.keeps())}});
    enum class Way { closes, half_closes, resets, closes_behind_a_lot };
    for (const Way way : {Way::closes, Way::half_closes, Way::resets, Way::closes_behind_a_lot}) {
        CAPTURE(static_cast<int>(way));
        Client client(served.port);
        client.send(request("/slow"));
        const ExchangePtr exchange = kept.next();
        std::atomic<int> left = 0;
        exchange->on_departure([&] { ++left; });
        if (way == Way::closes_behind_a_lot) client.send(std::string(100'000, 'a'));
        if (way == Way::half_closes) client.half_close();
        if (way == Way::resets) client.reset();
        if (way == Way::closes || way == Way::closes_behind_a_lot) client.close();
        CHECK(becomes_true([&] { return left == 1; }));
        CHECK(exchange->has_departed());
        exchange->on_departure([&] { left += 10; });  // too late: called at once
        CHECK(left == 11);
        exchange->respond(Answer{.body = "late"});
        if (way == Way::half_closes) CHECK(client.receive_all().ends_with("late"));
        CHECK(becomes_true([&] { return served.server.connections() == 0; }));
        CHECK_FALSE(exchange->respond(Answer{}));
    }
}

TEST_CASE("a deadline answers for a handler that does not") {
    Kept kept;
    const Served served({.routes = {get("/slow", kept.keeps())}});
    const Client client(served.port);
    client.send(request("/slow", "Connection: close\r\n"));
    const ExchangePtr exchange = kept.next();
    std::atomic<bool> left = false;
    exchange->on_departure([&] { left = true; });
    exchange->set_deadline(Clock::now() + 50ms, Problem(503, "late", "it took too long"));
    CHECK(client.receive_all().find("it took too long") != std::string::npos);
    CHECK(left);
    CHECK_FALSE(exchange->respond(Answer{}));
}

TEST_CASE("bodies are read when they are admitted, and their memory is asked for as it grows") {
    std::mutex mutex;
    std::vector<std::size_t> asked;
    Kept waiting;
    Route route = echo();
    route.admit = [&](const ExchangePtr& exchange) {
        if (exchange->request().value("x-refuse") == "1") throw Problem(403, "refused", "refused");
        exchange->on_body_growth([&](std::size_t bytes) {
            const std::scoped_lock lock(mutex);
            asked.push_back(bytes);
            if (bytes > 500'000) throw Problem(503, "memory_full", "no memory for that");
        });
        if (exchange->request().value("x-wait").empty()) return Admission::now;
        waiting.keeps()(exchange);
        return Admission::later;
    };
    const Served served({.limits = {.request = 300ms}, .routes = {route}});
    const auto post = [&](const std::string& fields, const std::string& body) {
        const Client client(served.port);
        client.send("POST /echo HTTP/1.1\r\nConnection: close\r\n" + fields + "\r\n" + body);
        return client.receive_all();
    };
    const std::string long_body(40, 'a');
    CHECK(post("Content-Length: 40\r\n", long_body).ends_with("\r\n\r\n" + long_body));
    CHECK(asked == std::vector<std::size_t>{40});
    asked.clear();
    std::string chunks;
    for (int i = 0; i < 40; ++i) chunks += "3e8\r\n" + std::string(1000, 'a') + "\r\n";
    CHECK(post("Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n").ends_with(std::string(40'000, 'a')));
    CHECK(asked.back() >= 40'000);
    CHECK(asked.back() < 100'000);
    CHECK(*std::max_element(asked.begin(), asked.end()) < 150'000);
    CHECK(post("Content-Length: 600000\r\n", std::string(600'000, 'a')).starts_with("HTTP/1.1 503 "));
    CHECK(post("Content-Length: 1000001\r\n", "").starts_with("HTTP/1.1 413 "));
    CHECK(post("X-Refuse: 1\r\nContent-Length: 5\r\n", "hello").starts_with("HTTP/1.1 403 "));
    CHECK(post("", "").starts_with("HTTP/1.1 411 "));

    // The client's time does not run while the server makes it wait.
    const Client client(served.port);
    client.send("POST /echo HTTP/1.1\r\nX-Wait: 1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const ExchangePtr exchange = waiting.next();
    CHECK(client.receive_some(500ms).empty());
    exchange->read_body();
    CHECK(client.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    CHECK(client.receive_until("hello").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("clients that are too slow are cut off, each in its way") {
    const Served served({.limits = {.head = 200ms, .request = 400ms, .keep_alive = 200ms},
                         .routes = {echo(), get("/fast", says("fast"))}});
    const auto answer = [&](const std::string& text) {
        const Client client(served.port);
        client.send(text);
        return client.receive_all();
    };
    CHECK(answer("").empty());
    CHECK(answer("\r\n").starts_with("HTTP/1.1 408 "));
    CHECK(answer("GET /fa").starts_with("HTTP/1.1 408 "));
    CHECK(answer("POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc").starts_with("HTTP/1.1 408 "));
    CHECK(answer("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5").starts_with("HTTP/1.1 408 "));
    CHECK(count_of(answer(request("/fast")), "HTTP/1.1 ") == 1);  // then closed without a word
    CHECK(becomes_true([&] { return served.server.connections() == 0; }));
}

TEST_CASE("a head that cannot be read is refused once, and the connection closed") {
    const Served served({.routes = {get("/fast", says("fast"))}});
    for (const char* head : {"GET /% HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n"}) {
        const Client client(served.port);
        client.send(head + request("/fast"));
        const std::string text = client.receive_all();
        CHECK(count_of(text, "HTTP/1.1 ") == 1);
        CHECK(text.starts_with("HTTP/1.1 400 "));
        CHECK(text.find("Connection: close\r\n") != std::string::npos);
    }
}

TEST_CASE("a connection has its number of requests") {
    const Served served({.limits = {.requests_a_connection = 3}, .routes = {get("/fast", says("fast"))}});
    const Client client(served.port);
    client.send(request("/fast") + request("/fast") + request("/fast") + request("/fast"));
    const std::string text = client.receive_all();
    CHECK(count_of(text, "HTTP/1.1 200 OK") == 3);
    CHECK(count_of(text, "Connection: close") == 1);
}

TEST_CASE("where no connection is left, idle and slow ones make room, and needed ones do not") {
    Kept kept;
    for (const bool by_client : {false, true}) {
        Limits limits{.connections = 10, .busy_connections = 9};
        if (by_client) limits = {.connections_a_client = 10, .busy_connections = 9};
        const Served served(
            {.limits = limits, .routes = {get("/fast", says("fast")), get("/slow", kept.keeps())}});
        std::vector<Client> clients;
        std::vector<ExchangePtr> exchanges;
        for (int i = 0; i < 30; ++i) {  // silent, or amid a head
            clients.emplace_back(served.port);
            clients.back().send(i % 2 == 0 ? "" : "GET /fa");
            CHECK(served.get("/fast").ends_with("fast"));
        }
        clients.clear();
        for (int i = 0; i < 10; ++i) {
            clients.emplace_back(served.port);
            clients.back().send(request("/slow"));
            exchanges.push_back(kept.next());
        }
        const Client refused(served.port);
        const std::string text = refused.receive_all();
        CHECK(text.starts_with("HTTP/1.1 503 "));
        CHECK(text.find("too many connections") != std::string::npos);
        for (const ExchangePtr& exchange : exchanges) exchange->respond(Answer{.body = "done"});
        for (const Client& client : clients) CHECK(client.receive_until("done").ends_with("done"));
    }
}

TEST_CASE("bodies and streams leave connections for short requests") {
    const Served served(
        {.limits = {.busy_connections = 2},
         .routes = {get("/fast", says("fast")), echo(), get("/stream", [](const ExchangePtr& exchange) {
                        exchange->stream({}, {.next = [](std::string& text) {
                                             text = "piece";
                                             return Source::State::idle;
                                         }});
                    })}});
    Client one(served.port);
    one.send(request("/stream"));
    one.receive_until("piece");
    const Client two(served.port);
    two.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    two.receive_until("\r\n\r\n");
    CHECK(served.get("/stream").starts_with("HTTP/1.1 503 "));
    CHECK(served.get("/fast").ends_with("fast"));
    one.close();
    CHECK(becomes_true([&] { return served.server.connections() == 1; }));
    const Client three(served.port);
    three.send(request("/stream"));
    CHECK(three.receive_until("piece").starts_with("HTTP/1.1 200 "));
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
