// A request of the infer protocol is read, or gives a Problem that blames the client; and its answer is JSON.
// If the first byte is odd, binary tensors follow the JSON after the first zero byte.
#include "tools/serve/infer.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/model/json.h"
#include "tools/serve/problem.h"

namespace {

namespace server = vgg19::server;

constexpr std::size_t model_size = 4;
constexpr std::size_t values = 3 * model_size * model_size;

void read_and_answer(std::string_view body, std::optional<std::size_t> json_bytes) {
    const server::InferRequest request = server::parse_infer_request(body, json_bytes, model_size);
    if (request.images == 0 || request.input.size() != request.images * values) std::abort();
    const std::vector<float> logits(request.images * 2, 0.5F);
    const server::InferAnswer answer = server::infer_answer("model", request, logits);
    if (answer.json_bytes.has_value() != request.binary_output) std::abort();
    const std::string_view json =
        std::string_view(answer.body).substr(0, answer.json_bytes.value_or(answer.body.size()));
    if (vgg19::model::Json::parse(json, "answer").find("outputs") == nullptr) std::abort();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view body = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
    std::optional<std::size_t> json_bytes;
    if (data[0] % 2 == 1) json_bytes = body.find('\0');
    try {
        read_and_answer(body, json_bytes);
    } catch (const server::Problem& problem) {
        if (problem.status() != 400) std::abort();
    }
    return 0;
}
