#include "tools/serve/http/request.h"

#include <doctest/doctest.h>

#include <string>

#include "tools/serve/http/problem.h"

namespace {

using namespace vgg19::http;

Request with_target(const std::string& target) {
    Request request;
    request.target = target;
    read_target(request);
    return request;
}

}  // namespace

TEST_CASE("a target's path and query are decoded") {
    const Request request = with_target("/a%20b/%c3%A9+c?top=1&variants=a%2Cb+c&empty=&none&&top=2&a=b=c?d");
    CHECK(request.path == "/a b/\xc3\xa9+c");
    CHECK(
        request.query ==
        Query{
            {"a", "b=c?d"}, {"empty", ""}, {"none", ""}, {"top", "1"}, {"top", "2"}, {"variants", "a,b c"}});
    CHECK(with_target("/").query.empty());
    CHECK(with_target("/?").query.empty());
    CHECK(with_target("/%00").path == std::string(1, '/') + '\0');
}

TEST_CASE("percent signs without two digits are refused") {
    for (const char* target : {"/%", "/%a", "/%g1", "/%1g", "/a%", "/?%", "/?a=%x1", "/%%41", "/?a=b%2"}) {
        CAPTURE(target);
        CHECK_THROWS_AS(with_target(target), Problem);
    }
}

TEST_CASE("numbers have digits only, and fit") {
    CHECK(whole_number("0") == 0U);
    CHECK(whole_number("18446744073709551615") == 18446744073709551615U);
    for (const char* text : {"", "+1", "-1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
        CAPTURE(text);
        CHECK_FALSE(whole_number(text).has_value());
    }
}

TEST_CASE("connections are kept open according to the HTTP version") {
    const auto closes = [](bool is_1_0, const std::string& wish, const std::string& second = "") {
        Request request;
        request.is_1_0 = is_1_0;
        if (!wish.empty()) request.fields.emplace_back("connection", wish);
        if (!second.empty()) request.fields.emplace_back("connection", second);
        return request.closes();
    };
    CHECK_FALSE(closes(false, ""));
    CHECK_FALSE(closes(false, "keep-alive"));
    CHECK(closes(false, "Close"));
    CHECK(closes(false, "upgrade, close"));
    CHECK(closes(false, "keep-alive", "close"));
    CHECK_FALSE(closes(false, "x-closet"));
    CHECK(closes(true, ""));
    CHECK_FALSE(closes(true, "Keep-Alive"));
    CHECK_FALSE(closes(true, "Keep-Alive, Upgrade"));
    CHECK(closes(true, "keep-alive ,\tclose"));
}
