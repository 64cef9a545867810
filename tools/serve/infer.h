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

#include "vgg19/map_size.h"

namespace vgg19::server {

inline constexpr const char* input_name = "input";
inline constexpr const char* output_name = "logits";
inline constexpr const char* tensor_type = "FP32";

struct InferRequest {
    std::optional<std::string> id;  ///< repeated in the answer
    std::size_t images = 0;
    std::vector<float> input;  ///< (images, 3, height, width)
    bool binary_output = false;
};

/// `json_bytes` is what Inference-Header-Content-Length says, if it is there. `size` is the model's. Throws
/// Problem (400) for what is no such request.
InferRequest parse_infer_request(std::string_view body, std::optional<std::size_t> json_bytes, MapSize size);

/// The memory that a request takes at most while it runs, besides its body, for a model with this input size
/// and so many classes.
std::size_t infer_bytes(std::size_t json_bytes, std::size_t binary_bytes, MapSize size, std::size_t classes);

struct InferAnswer {
    std::string body;
    std::optional<std::size_t> json_bytes;  ///< for Inference-Header-Content-Length
};

/// `logits` are (images, classes).
InferAnswer infer_answer(const std::string& model, const InferRequest& request,
                         std::span<const float> logits);

}  // namespace vgg19::server
