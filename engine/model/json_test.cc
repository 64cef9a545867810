#include "engine/model/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/testing/error_of.h"
#include "kernels/common/testing/random.h"

namespace vgg19::model {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

std::string parse_error(std::string_view text) {
    return error_of(ErrorKind::bad_input, [text] { Json::parse(text, "t"); });
}

std::string nested(int depth) {
    const auto count = static_cast<std::size_t>(depth);
    return std::string(count, '[') + std::string(count, ']');
}

}  // namespace

TEST_CASE("JSON is read according to RFC 8259") {
    const Json json = Json::parse(
        " { \"a\" : [ 1 , -2.5e1 , true , false , null ] ,\t\"b\" : { } , "
        "\"c\":\"x\\n\\u00e9\\ud83d\\ude00\" }\r\n",
        "t");
    const Json::Array& a = json.find("a")->array();
    REQUIRE(a.size() == 5);
    CHECK(a[0].size() == 1);
    CHECK(a[1].number() == -25.0);
    CHECK(a[2].boolean());
    CHECK_FALSE(a[3].boolean());
    CHECK(a[4].is_null());
    CHECK(json.find("b")->object().empty());
    CHECK(json.find("c")->string() == "x\n\xC3\xA9\xF0\x9F\x98\x80");
    CHECK(json.find("d") == nullptr);
    CHECK(a[0].find("a") == nullptr);
}

TEST_CASE("whole numbers of 64 bits are read exactly") {
    CHECK(Json::parse("18446744073709551615", "t").size() == std::numeric_limits<std::uint64_t>::max());
    CHECK(Json::parse("9223372036854775807", "t").size() == 9223372036854775807U);
    CHECK(Json::parse("-9223372036854775808", "t").number() == -9223372036854775808.0);
    CHECK(Json::parse("18446744073709551616", "t").number() == 18446744073709551616.0);
}

TEST_CASE("errors in JSON give the place, what was expected and what was found") {
    struct Case {
        const char* name;
        std::string text;
        const char* message;
    };
    const Case cases[] = {
        {"empty", "", "t: byte 0: expected a value, found the end of the text"},
        {"white space alone", "  ", "t: byte 2: expected a value, found the end of the text"},
        {"byte order mark", "\xEF\xBB\xBF{}", "t: byte 0: expected a value, found byte 0xef"},
        {"two values", "1 2", "t: byte 2: expected the end of the text, found '2'"},
        {"no comma", "[1 2]", "t: byte 3: expected ',' or ']', found '2'"},
        {"comma at the end", "[1,]", "t: byte 3: expected a value, found ']'"},
        {"comma at the end of an object", "{\"a\":1,}", "t: byte 7: expected a key, found '}'"},
        {"key without quotes", "{a:1}", "t: byte 1: expected a key, found 'a'"},
        {"no colon", "{\"a\" 1}", "t: byte 5: expected ':', found '1'"},
        {"open object", "{\"a\":1", "t: byte 6: expected ',' or '}', found the end of the text"},
        {"key twice", R"({"a":1,"b":2,"a":3})", "t: byte 13: expected another key, found \"a\" again"},
        {"key twice through an escape", R"({"a":1,"\u0061":3})", "expected another key, found \"a\" again"},
        {"leading zero", "01", "t: byte 1: expected the end of the text, found '1'"},
        {"plus", "+1", "t: byte 0: expected a value, found '+'"},
        {"no digit after the point", "1.", "t: byte 2: expected a digit, found the end of the text"},
        {"no digit in the exponent", "1e+", "t: byte 3: expected a digit, found the end of the text"},
        {"minus alone", "-", "t: byte 1: expected a digit, found the end of the text"},
        {"not a number", "NaN", "t: byte 0: expected a value, found 'N'"},
        {"too large", "1e999", "t: byte 0: expected a number that fits a double, found 1e999"},
        {"cut word", "tru", "t: byte 3: expected true, found the end of the text"},
        {"open string", "\"abc",
         "t: byte 4: expected the '\"' that ends a string, found the end of the text"},
        {"control character", "\"a\nb\"",
         "t: byte 2: expected no control character in a string, found byte 0x0a"},
        {"unknown escape", R"("\x")", R"(t: byte 2: expected one of "\/bfnrtu after '\', found 'x')"},
        {"cut escape", "\"\\", "found the end of the text"},
        {"short code point", R"("\u12g4")", "t: byte 3: expected four hexadecimal digits, found \"12g4\""},
        {"cut code point", "\"\\u1", "t: byte 3: expected four hexadecimal digits, found \"1\""},
        {"high surrogate alone", R"("\ud800x")",
         "t: byte 1: expected a pair of surrogates, found half of one"},
        {"low surrogate first", R"("\udc00")", "t: byte 1: expected a pair of surrogates, found half of one"},
        {"UTF-8 cut short", "\"\xC3\"", "t: byte 1: expected valid UTF-8, found byte 0xc3"},
        {"UTF-8 longer than need be", "\"\xC0\x80\"", "t: byte 1: expected valid UTF-8, found byte 0xc0"},
        {"UTF-8 of a surrogate", "\"\xED\xA0\x80\"", "t: byte 1: expected valid UTF-8, found byte 0xed"},
        {"UTF-8 above U+10FFFF", "\"\xF4\x90\x80\x80\"", "t: byte 1: expected valid UTF-8, found byte 0xf4"},
        {"UTF-8 continuation first", "\"\x80\"", "t: byte 1: expected valid UTF-8, found byte 0x80"},
        {"65 levels", nested(65), "t: byte 64: expected at most 64 levels, found more"},
        {"a depth bomb", std::string(1'000'000, '['), "t: byte 64: expected at most 64 levels, found more"},
        {"NUL", std::string(1, '\0'), "t: byte 0: expected a value, found byte 0x00"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        CHECK(parse_error(each.text) == Containing(each.message));
    }
}

TEST_CASE("64 levels are read") {
    CHECK(Json::parse(nested(64), "t").dump() == nested(64));
}

TEST_CASE("a value of another type is an error that says so") {
    const auto message = [](const Json& json, auto get) {
        return error_of(ErrorKind::bad_input, [&] { get(json); });
    };
    CHECK(message(Json(1), [](const Json& j) { j.object(); }) == "expected an object, found a number");
    CHECK(message(Json("x"), [](const Json& j) { j.array(); }) == "expected an array, found a string");
    CHECK(message(Json(), [](const Json& j) { j.string(); }) == "expected a string, found null");
    CHECK(message(Json(true), [](const Json& j) { j.number(); }) == "expected a number, found a boolean");
    CHECK(message(Json(Json::Array()), [](const Json& j) { j.boolean(); }) ==
          "expected a boolean, found an array");
    CHECK(message(Json(-1), [](const Json& j) { j.size(); }) ==
          "expected a whole number that is not negative, found -1");
    CHECK(message(Json(1.5), [](const Json& j) { j.size(); }) ==
          "expected a whole number that is not negative, found 1.5");
    CHECK(message(Json(1), [](const Json& j) { Json(j).set("a", 1); }) ==
          "expected an object, found a number");
}

TEST_CASE("a value is written compact, or indented") {
    Json json;
    json.set("a", Json().push(1).push(0.1)).set("b", Json::Object()).set("c", "\"\\\n\x01\x7F\xC3\xA9");
    CHECK(json.dump() == "{\"a\":[1,0.1],\"b\":{},\"c\":\"\\\"\\\\\\n\\u0001\x7F\xC3\xA9\"}");
    CHECK(Json().set("a", Json().push(1).push(Json())).dump(2) == "{\n  \"a\": [\n    1,\n    null\n  ]\n}");
}

TEST_CASE("what cannot be written in JSON becomes null or U+FFFD") {
    CHECK(Json(std::numeric_limits<double>::infinity()).dump() == "null");
    CHECK(Json(std::nan("")).dump() == "null");
    CHECK(Json("a\xFF\xC3").dump() == "\"a\\ufffd\\ufffd\"");
}

TEST_CASE("what is written does not change when it is read and written again") {
    for (const char* text :
         {"-0", "-0.0", "-0E+3", "0", "-1", "1e3", "1e22", "18446744073709551615", "18446744073709551616",
          "-9223372036854775809", "5e-324", "1.7976931348623157e308"}) {
        CAPTURE(text);
        const std::string written = Json::parse(text, "t").dump();
        CHECK(Json::parse(written, "t").dump() == written);
    }
    CHECK(std::signbit(Json::parse("-0", "t").number()));
}

TEST_CASE("random numbers and strings read back as they were written") {
    kernels::testing::Random random;
    INFO(random.replay());
    Json array = Json::Array();
    for (int i = 0; i < 500; ++i) {
        array.push(std::ldexp(static_cast<double>(random.uniform(-1, 1)), random.integer(-900, 900)));
        std::string text;
        for (int n = random.integer(0, 20); n > 0; --n) text += static_cast<char>(random.integer(0, 127));
        array.push(text);
    }
    const Json again = Json::parse(array.dump(), "t");
    REQUIRE(again.array().size() == array.array().size());
    for (std::size_t i = 0; i < array.array().size(); i += 2) {
        CHECK(again.array()[i].number() == array.array()[i].number());
        CHECK(again.array()[i + 1].string() == array.array()[i + 1].string());
    }
}

}  // namespace vgg19::model
