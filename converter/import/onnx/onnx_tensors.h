// An ONNX file's tensors as stored tensors, wherever their elements are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "converter/import/onnx/onnx_file.h"
#include "converter/import/stored_tensor.h"
#include "converter/import/torch_state.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

class OnnxTensors {
  public:
    /// Elements that are not in the file go to `contents.owned` (decoded) and `contents.others` (other
    /// files).
    OnnxTensors(const model::MappedFile& file, CheckpointContents& contents)
        : file_(file), contents_(contents) {}

    /// A tensor of a floating type; `name` is for messages. Throws Error (bad_input) for other types, and for
    /// a number of elements that is not the shape's.
    StoredTensor weights(const OnnxTensor& tensor, const std::string& name);
    /// The elements of a short list of whole numbers, such as axes. Throws Error (bad_input) for other
    /// tensors.
    std::vector<std::int64_t> integers(const OnnxTensor& tensor, const std::string& name);

  private:
    [[noreturn]] void fail(const std::string& name, const std::string& expected,
                           const std::string& found) const;
    std::span<const std::byte> elements_of(const OnnxTensor& tensor, model::DType dtype, std::size_t count,
                                           const std::string& name);
    /// The elements in another file, which must lie beside this one: a file of weights may not read others.
    std::span<const std::byte> external(const OnnxTensor& tensor, const std::string& name);
    const model::MappedFile& open(const std::string& location, const std::string& name);

    const model::MappedFile& file_;
    CheckpointContents& contents_;
    std::map<std::string, std::size_t> opened_;  ///< places in contents_.others
};

}  // namespace vgg19::converter
