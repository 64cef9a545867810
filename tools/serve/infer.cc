#include "tools/serve/infer.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/model/json.h"
#include "engine/model/network.h"
#include "tools/serve/problem.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

using model::Json;

static_assert(std::endian::native == std::endian::little, "the protocol's values are copied as they are");

constexpr const char* input_size_key = "binary_data_size";

[[noreturn]] void bad(const std::string& message) {
    throw Problem(400, "bad_request", message);
}

/// The only element of an array member; null if the member is missing but optional.
const Json* only_element(const Json& json, const char* name, bool required) {
    const Json* const array = json.find(name);
    if (array == nullptr && !required) return nullptr;
    if (array == nullptr || !array->is_array() || array->array().size() != 1) {
        bad(std::string(name) + ": expected an array of one tensor");
    }
    return &array->array().front();
}

void require_text(const Json& tensor, const char* key, const char* expected) {
    const Json* const value = tensor.find(key);
    if (value == nullptr || !value->is_string() || value->string() != expected) {
        bad(std::string("tensor: expected ") + key + " \"" + expected + "\"");
    }
}

const Json* parameter(const Json& json, const char* key) {
    const Json* const parameters = json.find("parameters");
    return parameters == nullptr ? nullptr : parameters->find(key);
}

bool flag(const Json& json, const char* key, bool otherwise) {
    const Json* const value = parameter(json, key);
    if (value == nullptr) return otherwise;
    if (!value->is_bool()) bad(std::string(key) + ": expected true or false");
    return value->boolean();
}

/// The number of images in a shape (N, 3, height, width), checked against the body's length.
std::size_t images_of(const Json& tensor, MapSize size, std::size_t body_bytes) {
    const Json* const shape = tensor.find("shape");
    const std::string expected = "input: expected shape [N, " + std::to_string(model::image_channels) + ", " +
                                 std::to_string(size.height) + ", " + std::to_string(size.width) + "]";
    if (shape == nullptr || !shape->is_array() || shape->array().size() != 4) bad(expected);
    const Json::Array& axes = shape->array();
    std::vector<std::uint64_t> sizes;
    for (const Json& axis : axes) sizes.push_back(axis.is_number() ? axis.size() : 0);
    if (sizes[0] == 0 || sizes[1] != model::image_channels || sizes[2] != size.height ||
        sizes[3] != size.width) {
        bad(expected);
    }
    // A value takes at least a digit and a comma.
    const std::size_t values = model::image_channels * size.pixels();
    if (sizes[0] > body_bytes / values) bad("input: the body is too short for its shape");
    return static_cast<std::size_t>(sizes[0]);
}

void append_values(const Json& data, std::vector<float>& values, std::size_t most) {
    if (data.is_array()) {
        for (const Json& item : data.array()) append_values(item, values, most);
        return;
    }
    if (!data.is_number()) bad("input: data: expected numbers, flat or nested");
    if (values.size() == most) bad("input: data: expected " + std::to_string(most) + " values, found more");
    values.push_back(static_cast<float>(data.number()));
}

std::vector<float> json_values(const Json& tensor, std::size_t count) {
    const Json* const data = tensor.find("data");
    if (data == nullptr || !data->is_array()) bad("input: expected an array \"data\"");
    std::vector<float> values;
    values.reserve(count);
    append_values(*data, values, count);
    if (values.size() != count) {
        bad("input: data: expected " + std::to_string(count) + " values, found " +
            std::to_string(values.size()));
    }
    return values;
}

std::vector<float> binary_values(const Json& size, std::string_view bytes, std::size_t count) {
    const std::size_t expected = count * sizeof(float);
    if (!size.is_number() || size.size() != expected || bytes.size() != expected) {
        bad("input: expected " + std::to_string(expected) + " bytes by its shape, found binary_data_size " +
            size.dump() + " and " + std::to_string(bytes.size()) + " bytes after the JSON");
    }
    std::vector<float> values(count);
    std::memcpy(values.data(), bytes.data(), expected);
    return values;
}

InferRequest parse(const Json& json, std::string_view binary, std::size_t body_bytes, MapSize size) {
    const Json& tensor = *only_element(json, "inputs", true);
    require_text(tensor, "name", input_name);
    require_text(tensor, "datatype", tensor_type);
    InferRequest request;
    request.images = images_of(tensor, size, body_bytes);
    const std::size_t count = request.images * model::image_channels * size.pixels();
    const Json* const binary_size = parameter(tensor, input_size_key);
    if (binary_size == nullptr && !binary.empty()) bad("body: expected nothing after the JSON");
    request.input =
        binary_size == nullptr ? json_values(tensor, count) : binary_values(*binary_size, binary, count);
    if (const Json* const id = json.find("id"); id != nullptr) request.id = id->string();
    request.binary_output = flag(json, "binary_data_output", false);
    if (const Json* const output = only_element(json, "outputs", false); output != nullptr) {
        require_text(*output, "name", output_name);
        request.binary_output = flag(*output, "binary_data", request.binary_output);
    }
    return request;
}

}  // namespace

InferRequest parse_infer_request(std::string_view body, std::optional<std::size_t> json_bytes, MapSize size) {
    if (json_bytes.value_or(0) > body.size()) {
        bad("Inference-Header-Content-Length: expected at most the body's " + std::to_string(body.size()) +
            " bytes, found " + std::to_string(*json_bytes));
    }
    const std::size_t split = json_bytes.value_or(body.size());
    try {
        return parse(Json::parse(body.substr(0, split), "body"), body.substr(split), body.size(), size);
    } catch (const Error& error) {
        bad(error.what());
    }
}

InferAnswer infer_answer(const std::string& model, const InferRequest& request,
                         std::span<const float> logits) {
    Json shape;
    shape.push(std::uint64_t{request.images}).push(std::uint64_t{logits.size() / request.images});
    Json tensor;
    tensor.set("name", output_name).set("datatype", tensor_type).set("shape", shape);
    if (request.binary_output) {
        Json parameters;
        parameters.set(input_size_key, std::uint64_t{logits.size_bytes()});
        tensor.set("parameters", parameters);
    } else {
        Json data = Json::Array{};
        for (const float value : logits) data.push(static_cast<double>(value));
        tensor.set("data", data);
    }
    Json outputs;
    outputs.push(tensor);
    Json json;
    json.set("model_name", model);
    if (request.id) json.set("id", *request.id);
    json.set("outputs", outputs);
    InferAnswer answer{.body = json.dump(), .json_bytes = {}};
    if (request.binary_output) {
        answer.json_bytes = answer.body.size();
        answer.body.append(reinterpret_cast<const char*>(logits.data()), logits.size_bytes());
    }
    return answer;
}

}  // namespace vgg19::server
