#include "tools/serve/infer.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "tools/serve/problem.h"

namespace {

using namespace vgg19::server;
using vgg19::model::Json;

constexpr std::size_t size = 32;
constexpr std::size_t values = 3 * size * size;
constexpr std::size_t bytes = values * sizeof(float);

/// A request; its tensor has these members in addition to name and type.
std::string request(const std::string& members, const std::string& others = "") {
    return R"({"inputs":[{"name":"input","datatype":"FP32",)" + members + "}]" + others + "}";
}

std::string zeros(std::size_t count) {
    std::string text = "[0";
    for (std::size_t i = 1; i < count; ++i) text += ",0";
    return text + "]";
}

const std::string shape = R"("shape":[1,3,32,32])";
const std::string binary_members =
    shape + R"(,"parameters":{"binary_data_size":)" + std::to_string(bytes) + "}";

std::string refusal(const std::string& body, std::optional<std::size_t> json_bytes = {}) {
    try {
        static_cast<void>(parse_infer_request(body, json_bytes, size));
    } catch (const Problem& problem) {
        CHECK(problem.status() == 400);
        return problem.what();
    }
    return "";
}

}  // namespace

TEST_CASE("values come as numbers or as bytes after the JSON, and are the same") {
    std::vector<float> wanted(values);
    std::string data = "[";
    for (std::size_t i = 0; i < values; ++i) {
        wanted[i] = static_cast<float>(i % 13) / 4.0F - 1.5F;
        if (i > 0) data += ',';
        data += Json(static_cast<double>(wanted[i])).dump();
    }
    const InferRequest plain = parse_infer_request(request(shape + ",\"data\":" + data + "]"), {}, size);
    CHECK(plain.input == wanted);
    CHECK(plain.images == 1);
    CHECK_FALSE(plain.binary_output);

    const std::string head = request(binary_members, R"(,"id":"7","parameters":{"binary_data_output":true})");
    std::string body = head + std::string(bytes, '\0');
    std::memcpy(body.data() + head.size(), wanted.data(), bytes);
    const InferRequest binary = parse_infer_request(body, head.size(), size);
    CHECK(binary.input == wanted);
    CHECK(binary.id == "7");
    CHECK(binary.binary_output);
}

TEST_CASE("an output's own parameter takes precedence over the request's") {
    const std::string head =
        request(binary_members, R"(,"parameters":{"binary_data_output":true},"outputs":[{"name":"logits",)"
                                R"("parameters":{"binary_data":false}}])");
    CHECK_FALSE(parse_infer_request(head + std::string(bytes, '\0'), head.size(), size).binary_output);
}

TEST_CASE("members may come in any order, and unknown ones do not matter") {
    const std::string data = R"("data":)" + zeros(values);
    const std::string members = shape + "," + data;
    for (const std::string& body : {request(data + "," + shape),
                                    R"({"x":[[1],{"y":2}],"inputs":[{)" + data + R"(,"z":{"a":[]},)" +
                                        R"("datatype":"FP32","name":"input",)" + shape + R"(}],"id":"i"})",
                                    R"({"outputs":[{"name":"logits","parameters":{"binary_data":true}}],)" +
                                        request(members).substr(1)}) {
        const InferRequest read = parse_infer_request(body, {}, size);
        CHECK(read.input == std::vector<float>(values));
        CHECK(read.images == 1);
        CHECK(read.binary_output == (body.find("outputs") != std::string::npos));
    }
    CHECK(refusal(request(data + "," + shape, R"(,"id":7)")) == "id: expected a string");
    CHECK(refusal(request(members, R"(,"id":"1","id":"1")")).find("again") != std::string::npos);
    CHECK(refusal(request("\"data\":" + zeros(values + 1) + "," + shape)).ends_with("found more"));
    CHECK(refusal(request(members) + "x").find("the end of the text") != std::string::npos);
}

TEST_CASE("several images follow one another, nested or not") {
    const std::string two = R"("shape":[2,3,32,32],"data":[)" + zeros(values) + "," + zeros(values) + "]";
    const InferRequest request_of_two = parse_infer_request(request(two), {}, size);
    CHECK(request_of_two.images == 2);
    CHECK(request_of_two.input.size() == 2 * values);
}

TEST_CASE("requests with inconsistent parts are refused") {
    const std::string binary = request(binary_members);
    const std::string zero_bytes(bytes, '\0');
    CHECK(refusal(binary + zero_bytes, binary.size()).empty());
    CHECK(refusal(binary + zero_bytes + "x", binary.size()) != "");
    CHECK(refusal(binary + zero_bytes.substr(1), binary.size()) != "");
    CHECK(refusal(binary + zero_bytes, binary.size() + bytes + 1)
              .starts_with("Inference-Header-Content-Length"));
    CHECK(refusal(binary + zero_bytes, binary.size() - 1).starts_with("body: byte"));
    CHECK(refusal(binary + zero_bytes).starts_with("body: byte"));
    CHECK(refusal(request(shape + ",\"data\":" + zeros(values)) + zero_bytes, 0) != "");
    CHECK(refusal(request(shape + ",\"data\":" + zeros(values - 1))).ends_with("found 3071"));
    CHECK(refusal(request(shape + ",\"data\":" + zeros(values + 1))).ends_with("found more"));
    for (const char* members :
         {"\"shape\":[1,3,32]", "\"shape\":[0,3,32,32]", "\"shape\":[1,3,32,33]", "\"shape\":\"x\"",
          "\"shape\":[1e300,3,32,32]", "\"shape\":[4611686018427387904,3,32,32]", "\"shape\":[-1,3,32,32]"}) {
        CAPTURE(members);
        CHECK(refusal(request(std::string(members) + ",\"data\":" + zeros(values))) != "");
    }
    for (const char* body : {"", "[]", "{}", R"({"inputs":{}})", R"({"inputs":[]})", R"({"inputs":[7]})"}) {
        CAPTURE(body);
        CHECK(refusal(body) != "");
    }
}

TEST_CASE("an answer has its values in the JSON or after it") {
    const std::vector<float> logits = {1.5F, -2, 0.1F, 4};
    InferRequest asked;
    asked.images = 2;
    asked.id = "a";
    const InferAnswer plain = infer_answer("int8", asked, logits);
    CHECK_FALSE(plain.json_bytes.has_value());
    const Json json = Json::parse(plain.body, "answer");
    CHECK(json.find("model_name")->string() == "int8");
    CHECK(json.find("id")->string() == "a");
    const Json& output = json.find("outputs")->array().front();
    CHECK(output.find("shape")->dump() == "[2,2]");
    CHECK(static_cast<float>(output.find("data")->array()[2].number()) == 0.1F);

    asked.binary_output = true;
    const InferAnswer binary = infer_answer("int8", asked, logits);
    REQUIRE(binary.json_bytes.has_value());
    REQUIRE(binary.body.size() == *binary.json_bytes + 16);
    CHECK(std::memcmp(binary.body.data() + *binary.json_bytes, logits.data(), 16) == 0);
    const Json head = Json::parse(binary.body.substr(0, *binary.json_bytes), "answer");
    CHECK(head.find("outputs")->array().front().find("parameters")->dump() == R"({"binary_data_size":16})");
}
