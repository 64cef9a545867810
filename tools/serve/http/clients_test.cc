// What clients may do that no server likes.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tools/serve/http/server.h"
#include "tools/serve/http/testing/served.h"

namespace {

using namespace vgg19::http;
using namespace vgg19::http::testing;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::size_t threads() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
}

}  // namespace

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

TEST_CASE("an announced length takes no memory before its bytes have come") {
    std::mutex mutex;
    std::size_t most = 0;
    Route route = post("/large", 80'000'000, says("all"));
    route.admit = [&](const ExchangePtr& exchange) {
        exchange->on_body_growth([&](std::size_t bytes) {
            const std::scoped_lock lock(mutex);
            most = std::max(most, bytes);
        });
        return Admission::now;
    };
    const Served served({.routes = {route}});
    const auto most_so_far = [&] {
        const std::scoped_lock lock(mutex);
        return most;
    };
    const Client client(served.port);
    client.send("POST /large HTTP/1.1\r\nContent-Length: 79900000\r\n\r\n" + std::string(64, 'a'));
    CHECK(becomes_true([&] { return most_so_far() > 0; }));
    CHECK(most_so_far() <= 65536);
    const std::string megabyte(1'000'000, 'a');
    client.send(megabyte);
    CHECK(becomes_true([&] { return most_so_far() >= 1'000'064; }));
    CHECK(most_so_far() < 3'500'000);
    for (int i = 0; i < 78; ++i) client.send(megabyte);
    client.send(std::string(900'000 - 64, 'a'));
    CHECK(client.receive_until("all").starts_with("HTTP/1.1 200 "));
    CHECK(most_so_far() < 90'000'000);
}

TEST_CASE("clients that send many requests and take no answer delay nobody") {
    const std::string page(13'000, 'p');
    const Served served({.routes = {get("/page",
                                        [&](const ExchangePtr& exchange) {
                                            exchange->respond(Answer{.lasting_body = page});
                                        }),
                                    get("/fast", says("fast"))}});
    std::string many;
    for (int i = 0; i < 200; ++i) many += request("/page");
    std::vector<Client> clients;
    for (int i = 0; i < 200; ++i) {
        clients.emplace_back(served.port);
        clients.back().send(many);
    }
    auto longest = Clock::duration(0);
    for (int i = 0; i < 20; ++i) {
        const auto begin = Clock::now();
        CHECK(served.get("/fast").ends_with("fast"));
        longest = std::max(longest, Clock::now() - begin);
    }
    CHECK(longest < 500ms);
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
