// Parses and writes the Open Inference Protocol, version 2
// (https://github.com/kserve/open-inference-protocol), with its binary extension: JSON, followed by tensors
// as little-endian bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::server {

inline constexpr const char* input_name = "input";
inline constexpr const char* output_name = "logits";
inline constexpr const char* tensor_type = "FP32";

struct InferRequest {
    std::optional<std::string> id;  ///< repeated in the answer
    std::size_t images = 0;
    std::vector<float> input;  ///< (images, 3, size, size)
    bool binary_output = false;
};

/// `json_bytes` is the value of Inference-Header-Content-Length, if present. `size` is the model's. Throws
/// Problem (400) for an invalid request.
InferRequest parse_infer_request(std::string_view body, std::optional<std::size_t> json_bytes,
                                 std::size_t size);

struct InferAnswer {
    std::string body;
    std::optional<std::size_t> json_bytes;  ///< for Inference-Header-Content-Length
};

/// `logits` are (images, classes).
InferAnswer infer_answer(const std::string& model, const InferRequest& request,
                         std::span<const float> logits);

}  // namespace vgg19::server
