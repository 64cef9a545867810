#include "tools/serve/infer.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/model/json.h"
#include "engine/model/json_reader.h"
#include "engine/model/network.h"
#include "tools/serve/problem.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

using model::Json;
using model::JsonReader;

static_assert(std::endian::native == std::endian::little, "the protocol's values are copied as they are");

constexpr const char* input_size_key = "binary_data_size";
/// Of a float, as a double, with its comma: "-1.1754943508222875e-38,".
constexpr std::size_t longest_number_text = 26;

[[noreturn]] void bad(const std::string& message) {
    throw Problem(400, "bad_request", message);
}

/// What a request says of its tensor and its output, in whatever order it says it.
struct Tensor {
    bool has_name = false;
    bool has_type = false;
    std::optional<std::size_t> images;
    std::optional<Json> binary_size;
    bool has_data = false;
    bool data_was_skipped = false;  ///< it came before the shape
    std::vector<float> values;
};

struct Flags {
    std::optional<bool> of_request;
    std::optional<bool> of_output;
};

/// Reads a request's JSON from front to back: of a text of unknown origin, only what is asked for takes
/// memory.
class RequestReader {
  public:
    RequestReader(std::string_view json, std::size_t body_bytes, MapSize size)
        : json_(json), body_bytes_(body_bytes), size_(size) {}

    InferRequest read(std::string_view binary) {
        JsonReader reader(json_, "body");
        read_request(reader);
        reader.end();
        if (tensors_ != 1) one_tensor("inputs");
        require(tensor_.has_name, "name", input_name);
        require(tensor_.has_type, "datatype", tensor_type);
        if (!tensor_.images) bad(expected_shape());
        request_.images = *tensor_.images;
        request_.binary_output = flags_.of_output.value_or(flags_.of_request.value_or(false));
        read_values(binary);
        return std::move(request_);
    }

  private:
    using Kind = JsonReader::Kind;

    [[noreturn]] static void one_tensor(const char* name) {
        bad(std::string(name) + ": expected an array of one tensor");
    }

    static void require(bool is_there, const char* key, const char* expected) {
        if (!is_there) bad(std::string("tensor: expected ") + key + " \"" + expected + "\"");
    }

    std::size_t values_of_an_image() const { return model::image_channels * size_.pixels(); }

    std::string expected_shape() const {
        return "input: expected shape [N, " + std::to_string(model::image_channels) + ", " +
               std::to_string(size_.height) + ", " + std::to_string(size_.width) + "]";
    }

    void read_request(JsonReader& reader) {
        if (reader.next() != Kind::object) one_tensor("inputs");
        reader.object([&](const std::string& key) {
            if (key == "id") {
                if (reader.next() != Kind::string) bad("id: expected a string");
                request_.id = reader.string();
            } else if (key == "parameters") {
                read_flag(reader, "binary_data_output", flags_.of_request);
            } else if (key == "inputs") {
                read_tensors(reader, "inputs", [&] { read_input(reader); });
            } else if (key == "outputs") {
                read_tensors(reader, "outputs", [&] { read_output(reader); });
            } else {
                reader.skip();
            }
        });
    }

    template <class Read>
    void read_tensors(JsonReader& reader, const char* name, const Read& read) {
        if (reader.next() != Kind::array) one_tensor(name);
        std::size_t count = 0;
        reader.array([&] {
            if (++count > 1) one_tensor(name);
            read();
        });
        if (count != 1) one_tensor(name);
    }

    static bool is_text(JsonReader& reader, const char* expected) {
        if (reader.next() == Kind::string) return reader.string() == expected;
        reader.skip();
        return false;
    }

    void read_input(JsonReader& reader) {
        ++tensors_;
        if (reader.next() != Kind::object) require(false, "name", input_name);
        reader.object([&](const std::string& key) {
            if (key == "name") {
                tensor_.has_name = is_text(reader, input_name);
            } else if (key == "datatype") {
                tensor_.has_type = is_text(reader, tensor_type);
            } else if (key == "shape") {
                tensor_.images = read_images(reader);
            } else if (key == "parameters") {
                read_parameter(reader, input_size_key, [&] {
                    if (reader.next() == Kind::number) {
                        tensor_.binary_size = reader.value();
                    } else {
                        reader.skip();
                        tensor_.binary_size = Json();
                    }
                });
            } else if (key == "data") {
                tensor_.has_data = reader.next() == Kind::array;
                tensor_.data_was_skipped = !tensor_.images;
                if (tensor_.has_data && tensor_.images) {
                    read_data(reader);
                } else {
                    reader.skip();
                }
            } else {
                reader.skip();
            }
        });
    }

    void read_output(JsonReader& reader) {
        bool has_name = false;
        if (reader.next() != Kind::object) require(false, "name", output_name);
        reader.object([&](const std::string& key) {
            if (key == "name") {
                has_name = is_text(reader, output_name);
            } else if (key == "parameters") {
                read_flag(reader, "binary_data", flags_.of_output);
            } else {
                reader.skip();
            }
        });
        require(has_name, "name", output_name);
    }

    /// Calls `read` for that member, if the value is an object that has it.
    template <class Read>
    static void read_parameter(JsonReader& reader, const char* name, const Read& read) {
        if (reader.next() != Kind::object) return reader.skip();
        reader.object([&](const std::string& key) { key == name ? read() : reader.skip(); });
    }

    static void read_flag(JsonReader& reader, const char* name, std::optional<bool>& flag) {
        read_parameter(reader, name, [&] {
            if (reader.next() != Kind::boolean) bad(std::string(name) + ": expected true or false");
            flag = reader.value().boolean();
        });
    }

    /// The number of images in a shape (N, 3, height, width), checked against the body's length.
    std::size_t read_images(JsonReader& reader) const {
        if (reader.next() != Kind::array) bad(expected_shape());
        std::vector<std::uint64_t> sizes;
        reader.array([&] {
            if (sizes.size() == 4 || reader.next() != Kind::number) bad(expected_shape());
            sizes.push_back(reader.value().size());
        });
        if (sizes.size() != 4 || sizes[0] == 0 || sizes[1] != model::image_channels ||
            sizes[2] != size_.height || sizes[3] != size_.width) {
            bad(expected_shape());
        }
        // A value takes at least a digit and a comma.
        if (sizes[0] > body_bytes_ / values_of_an_image()) bad("input: the body is too short for its shape");
        return static_cast<std::size_t>(sizes[0]);
    }

    void read_data(JsonReader& reader) {
        const std::size_t count = *tensor_.images * values_of_an_image();
        tensor_.values.clear();
        tensor_.values.reserve(count);
        append_values(reader, count);
        if (tensor_.values.size() != count) {
            bad("input: data: expected " + std::to_string(count) + " values, found " +
                std::to_string(tensor_.values.size()));
        }
    }

    void append_values(JsonReader& reader, std::size_t most) {
        reader.array([&] {
            const Kind kind = reader.next();
            if (kind == Kind::array) return append_values(reader, most);
            if (kind != Kind::number) bad("input: data: expected numbers, flat or nested");
            if (tensor_.values.size() == most) {
                bad("input: data: expected " + std::to_string(most) + " values, found more");
            }
            tensor_.values.push_back(static_cast<float>(reader.value().number()));
        });
    }

    void read_values(std::string_view binary) {
        if (!tensor_.binary_size && !binary.empty()) bad("body: expected nothing after the JSON");
        if (tensor_.binary_size) {
            tensor_.values = {};
            request_.input =
                binary_values(*tensor_.binary_size, binary, *tensor_.images * values_of_an_image());
            return;
        }
        if (!tensor_.has_data) bad("input: expected an array \"data\"");
        if (tensor_.data_was_skipped) {  // now that its length is known
            JsonReader again(json_, "body");
            tensors_ = 0;
            read_request(again);
        }
        request_.input = std::move(tensor_.values);
    }

    static std::vector<float> binary_values(const Json& size, std::string_view bytes, std::size_t count) {
        const std::size_t expected = count * sizeof(float);
        if (!size.is_number() || size.size() != expected || bytes.size() != expected) {
            bad("input: expected " + std::to_string(expected) +
                " bytes by its shape, found binary_data_size " + size.dump() + " and " +
                std::to_string(bytes.size()) + " bytes after the JSON");
        }
        std::vector<float> values(count);
        std::memcpy(values.data(), bytes.data(), expected);
        return values;
    }

    std::string_view json_;
    std::size_t body_bytes_;
    MapSize size_;
    InferRequest request_;
    Tensor tensor_;
    std::size_t tensors_ = 0;
    Flags flags_;
};

/// Adds the last member, "data", to the last tensor of an answer's text, without a tree of its values.
void append_data(std::string& text, std::span<const float> values) {
    constexpr std::string_view end = "}]}";
    text.resize(text.size() - end.size());
    text.reserve(text.size() + values.size() * longest_number_text + 2 * end.size());
    text += ",\"data\":[";
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) text += ',';
        text += Json(static_cast<double>(values[i])).dump();
    }
    text.append("]").append(end);
}

}  // namespace

InferRequest parse_infer_request(std::string_view body, std::optional<std::size_t> json_bytes, MapSize size) {
    if (json_bytes.value_or(0) > body.size()) {
        bad("Inference-Header-Content-Length: expected at most the body's " + std::to_string(body.size()) +
            " bytes, found " + std::to_string(*json_bytes));
    }
    const std::size_t split = json_bytes.value_or(body.size());
    try {
        return RequestReader(body.substr(0, split), body.size(), size).read(body.substr(split));
    } catch (const Error& error) {
        bad(error.what());
    }
}

std::size_t infer_bytes(std::size_t json_bytes, std::size_t binary_bytes, MapSize size, std::size_t classes) {
    // Keys of an object are kept until its end, for at most so many bytes a byte of text; values take less.
    constexpr std::size_t a_json_byte = 8;
    constexpr std::size_t a_logit = sizeof(float) + longest_number_text;
    constexpr std::size_t others = std::size_t{64} << 10U;
    const std::size_t most_values = json_bytes / 2 + binary_bytes / sizeof(float);
    const std::size_t most_images = most_values / (model::image_channels * size.pixels());
    return a_json_byte * json_bytes + binary_bytes + most_images * classes * a_logit + others;
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
        answer.body.reserve(answer.body.size() + logits.size_bytes());
        answer.body.append(reinterpret_cast<const char*>(logits.data()), logits.size_bytes());
    } else {
        append_data(answer.body, logits);
    }
    return answer;
}

}  // namespace vgg19::server
