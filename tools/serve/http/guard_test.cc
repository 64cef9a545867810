#include "tools/serve/http/guard.h"

#include <doctest/doctest.h>

#include <string>

#include "tools/serve/http/problem.h"

namespace {

using namespace vgg19::http;

/// 0 if the request is accepted.
int status_of(const Guard& guard, const std::string& host, const std::string& origin = "") {
    Request request;
    if (!host.empty()) request.fields.emplace_back("host", host);
    if (!origin.empty()) request.fields.emplace_back("origin", origin);
    try {
        guard.check(request);
    } catch (const Problem& problem) {
        return problem.status();
    }
    return 0;
}

}  // namespace

TEST_CASE("a server accepts the names of this machine, with its port") {
    const Guard guard("192.0.2.1", 8080, {});
    for (const char* host :
         {"localhost:8080", "LocalHost:8080", "127.0.0.1:8080", "[::1]:8080", "192.0.2.1:8080"}) {
        CAPTURE(host);
        CHECK(status_of(guard, host) == 0);
    }
    for (const char* host :
         {"localhost", "localhost:80", "evil.example:8080", "127.0.0.1:8080.evil.example",
          "localhost:8080:8080", "[::1]", "::1:8080", "192.0.2.2:8080", "localhost:8080 "}) {
        CAPTURE(host);
        CHECK(status_of(guard, host) == 403);
    }
    CHECK(status_of(guard, "") == 400);
}

TEST_CASE("port 80 may be omitted, and a wildcard is not a name") {
    const Guard guard("0.0.0.0", 80, {});
    CHECK(status_of(guard, "localhost") == 0);
    CHECK(status_of(guard, "localhost:80") == 0);
    CHECK(status_of(guard, "0.0.0.0") == 403);
    CHECK(status_of(Guard("::1", 9, {}), "[::1]:9") == 0);
}

TEST_CASE("other names are accepted with their given port, or with any") {
    const Guard guard("127.0.0.1", 8080, {"Demo.example", "proxy.example:443"});
    CHECK(status_of(guard, "demo.example") == 0);
    CHECK(status_of(guard, "demo.example:1234") == 0);
    CHECK(status_of(guard, "proxy.example:443") == 0);
    CHECK(status_of(guard, "proxy.example") == 403);
    CHECK(status_of(guard, "proxy.example:8080") == 403);
}

TEST_CASE("an origin must be the host that was asked") {
    const Guard guard("127.0.0.1", 8080, {});
    CHECK(status_of(guard, "localhost:8080", "http://localhost:8080") == 0);
    for (const char* origin : {"null", "http://127.0.0.1:8080", "https://localhost:8080", "http://localhost",
                               "http://localhost:8080/", "http://evil.example"}) {
        CAPTURE(origin);
        CHECK(status_of(guard, "localhost:8080", origin) == 403);
    }
}
