// What readers allocate is bounded by their input's size, and running out of memory is an exception, no more.
#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <string>

#include "engine/model/description.h"
#include "engine/model/json.h"
#include "engine/model/safetensors_header.h"
#include "engine/testing/allocation_meter.h"
#include "engine/testing/temporary_folder.h"

namespace vgg19::model {

namespace {

using vgg19::testing::fail_each_allocation;
using vgg19::testing::peak_of;

/// So that what does not grow with the text does not count.
constexpr std::size_t fixed_bytes = 8192;

/// `part(0)`, `part(1)`, … up to about `bytes` bytes.
std::string repeated(std::size_t bytes, const std::function<std::string(std::size_t)>& part) {
    std::string text;
    for (std::size_t i = 0; text.size() < bytes; ++i) text += part(i);
    return text;
}

std::string repeated(std::size_t bytes, const std::string& part) {
    return repeated(bytes, [&](std::size_t) { return part; });
}

/// Three characters that differ for every number below 180,000.
std::string short_key(std::size_t number) {
    std::string key;
    for (int i = 0; i < 3; ++i, number /= 57) key += static_cast<char>('#' + number % 57);
    return key;
}

std::string nested(int levels, const std::string& inside) {
    return std::string(static_cast<std::size_t>(levels), '[') + inside +
           std::string(static_cast<std::size_t>(levels), ']');
}

struct Case {
    const char* name;
    std::string text;
};

void parse(const std::string& text) {
    try {
        static_cast<void>(Json::parse(text, "t"));
    } catch (const Error&) {
    }
}

}  // namespace

TEST_CASE("JSON takes a stated multiple of its text, whatever it holds") {
    constexpr std::size_t size = 300'000;
    const Case cases[] = {
        {"zeros", "[" + repeated(size, "0,") + "0]"},
        {"zeros without an end", "[" + repeated(size, "0,")},
        {"empty strings", "[" + repeated(size, "\"\",") + "0]"},
        {"short strings", "[" + repeated(size, "\"a\",") + "0]"},
        {"strings that just do not fit", "[" + repeated(size, "\"0123456789abcdef\",") + "0]"},
        {"empty arrays", "[" + repeated(size, "[],") + "0]"},
        {"empty objects", "[" + repeated(size, "{},") + "0]"},
        {"arrays of one", "[" + repeated(size, "[0],") + "0]"},
        {"objects of one", "[" + repeated(size, "{\"\":0},") + "0]"},
        {"nested arrays", "[" + repeated(size, nested(60, "0") + ",") + "0]"},
        {"nested objects", "[" + repeated(size, "{\"\":{\"\":{\"\":{\"\":0}}}},") + "0]"},
        {"short keys",
         "{" + repeated(size, [](std::size_t i) { return '"' + short_key(i) + "\":0,"; }) + "\"\":0}"},
        {"keys that are escapes",
         "{" + repeated(size, [](std::size_t i) { return "\"\\n" + short_key(i) + "\":0,"; }) + "\"\":0}"},
        {"one key again and again", "{" + repeated(size, "\"\":0,") + "\"\":0}"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        const std::size_t peak = peak_of([&] { parse(each.text); });
        CHECK(peak < fixed_bytes + json_memory_factor * each.text.size());
    }
}

TEST_CASE("a copy of JSON without memory is an exception, and leaves nothing behind") {
    const Json json = Json::parse(
        R"({"a":["a text that is longer than a small one",[],{},[1,2,[3]],{"b":"another long text as well"}],"c":1.5})",
        "t");
    const std::size_t before = vgg19::testing::allocated_bytes;
    const long failed = fail_each_allocation([&] {
        const Json copy(json);
        Json other(1);
        other = copy;
    });
    CHECK(failed > 20);
    CHECK(vgg19::testing::allocated_bytes == before);
    Json target("old");
    CHECK_THROWS_AS(fail_each_allocation([&] {
                        target = json;
                        throw Error(ErrorKind::usage, "done");
                    }),
                    Error);
    CHECK(target.dump() == json.dump());
}

TEST_CASE("reading JSON without memory is an exception, and leaves nothing behind") {
    const std::size_t before = vgg19::testing::allocated_bytes;
    const long failed = fail_each_allocation([] {
        static_cast<void>(
            Json::parse(R"({"\u0061":["long enough to be allocated",{"b":[]}],"c":{"d":1}})", "t"));
    });
    CHECK(failed > 5);
    CHECK(vgg19::testing::allocated_bytes == before);
}

TEST_CASE("a safetensors header takes a stated multiple of its bytes, whatever it holds") {
    constexpr std::size_t size = 300'000;
    const std::string tensor = R"({"dtype":"F4","shape":[0],"data_offsets":[0,0]})";
    const Case cases[] = {
        {"zeros behind a key", "{\"a\":[" + repeated(size, "0,")},
        {"zeros as a shape", "{\"a\":{\"shape\":[" + repeated(size, "0,")},
        {"zeros as offsets", "{\"a\":{\"data_offsets\":[" + repeated(size, "0,")},
        {"zeros as another member", "{\"a\":{\"x\":[" + repeated(size, "0,")},
        {"zeros as metadata", "{\"__metadata__\":[" + repeated(size, "0,")},
        {"zeros as a value of metadata", "{\"__metadata__\":{\"a\":[" + repeated(size, "0,")},
        {"one name again and again", "{" + repeated(size, "\"\":" + tensor + ",")},
        {"one member again and again", "{\"a\":{" + repeated(size, "\"\":0,")},
        {"many members",
         "{\"a\":{" + repeated(size, [](std::size_t i) { return '"' + short_key(i) + "\":0,"; })},
        {"many tensors",
         "{" + repeated(size, [&](std::size_t i) { return '"' + short_key(i) + "\":" + tensor + ","; }) +
             "\"\":" + tensor + "}"},
        {"much metadata", "{\"__metadata__\":{" +
                              repeated(size, [](std::size_t i) { return '"' + short_key(i) + "\":\"\","; }) +
                              "\"\":\"\"}}"},
        {"metadata that just does not fit",
         "{\"__metadata__\":{" +
             repeated(size, [](std::size_t i) { return '"' + short_key(i) + "\":\"0123456789abcdef\","; }) +
             "\"\":\"\"}}"},
        {"a long name", "{\"" + std::string(size, 'n') + "\":" + tensor + "}"},
        {"a long type", "{\"a\":{\"dtype\":\"" + std::string(size, 'n') + "\"}}"},
    };
    const vgg19::testing::TemporaryFolder folder;
    for (const Case& each : cases) {
        CAPTURE(each.name);
        std::string file;
        for (unsigned shift = 0; shift < 64; shift += 8) {
            file += static_cast<char>((each.text.size() >> shift) & 0xFFU);
        }
        const auto path = folder / each.name;
        std::ofstream(path, std::ios::binary) << file << each.text;
        const std::size_t peak = peak_of([&] {
            try {
                SafetensorsFile::open_for_import(path);
            } catch (const Error& error) {
                CHECK(std::string(error.what()).size() < 1000);
            }
        });
        CHECK(peak < fixed_bytes + header_memory_factor * each.text.size());
    }
}

TEST_CASE("class names of a model take memory for as many classes as it has") {
    Metadata metadata = metadata_from_description(
        {Network::parse("2 M 3 M 2 2 M 2 2 M 1 2 M", "4 3 5"), {}, "baseline", std::string(64, 'a'), {}});
    constexpr std::size_t size = 300'000;
    for (const std::string& list : {"[" + repeated(size, "0,") + "0]", "[" + repeated(size, "\"a\",") + "0]",
                                    "[" + repeated(size, "[[0]],") + "0]", "{" + repeated(size, "\"\":0,")}) {
        Metadata with_names = metadata;
        with_names.emplace_back("class_names", list);
        const std::size_t peak = peak_of(
            [&] { CHECK_THROWS_AS(static_cast<void>(description_from_metadata(with_names)), Error); });
        CHECK(peak < 2 * fixed_bytes);
    }
}

}  // namespace vgg19::model
