// The header of a safetensors file: what it says of the tensors, checked against itself and the file's
// length.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::model {

/// A tensor of any of the format's types, also those that DType lacks.
struct HeaderTensor {
    std::string name;
    std::optional<DType> dtype;
    const char* dtype_name = "";
    std::vector<std::size_t> shape;
    std::span<const std::byte> bytes;
};

struct SafetensorsHeader {
    Metadata metadata;
    std::deque<HeaderTensor> tensors;  ///< sorted by offset
};

/// Bytes of memory, at most, that reading a header takes for each byte of it.
inline constexpr std::size_t header_memory_factor = 16;

/// Reads the header from front to back and stops at the first value that does not belong there, so that its
/// memory is that of the tensors and metadata it has. Throws Error (bad_input), as SafetensorsFile does.
SafetensorsHeader read_safetensors_header(const MappedFile& file);

/// "one of F64 F32 …": the types in DType.
std::string known_dtypes_text();

}  // namespace vgg19::model
