#include "converter/import/state_dict.h"

#include <string>
#include <string_view>

#include "converter/import/torch_state.h"
#include "engine/model/description.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

enum class Container : unsigned char { torch_zip, torch_legacy, safetensors };

Container find_container(const model::MappedFile& file) {
    const std::string_view content(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    constexpr std::size_t safetensors_header = 8;  // after the header's length
    if (content.size() > safetensors_header && content[safetensors_header] == '{') {
        return Container::safetensors;
    }
    if (content.starts_with("PK\x03\x04")) return Container::torch_zip;
    if (content.starts_with('\x80')) return Container::torch_legacy;  // a pickle's first byte
    std::string found = content.empty() ? "an empty file" : "a file that begins with bytes";
    for (const char byte : content.substr(0, 8)) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto value = static_cast<unsigned char>(byte);
        found += {' ', digits[value / 16], digits[value % 16]};
    }
    throw Error(
        ErrorKind::bad_input,
        file.path().string() + ": expected a .pth file of PyTorch or a safetensors file, found " + found);
}

std::vector<StoredTensor> read_safetensors(const model::SafetensorsFile& file) {
    std::vector<StoredTensor> tensors;
    for (const model::Tensor& tensor : file.tensors()) {
        tensors.push_back({.name = tensor.name,
                           .dtype = tensor.dtype,
                           .shape = tensor.shape,
                           .strides = contiguous_strides(tensor.shape),
                           .bytes = tensor.bytes});
    }
    return tensors;
}

}  // namespace

StateDict StateDict::open(const std::filesystem::path& path) {
    model::MappedFile mapping(path);
    switch (find_container(mapping)) {
        case Container::torch_zip: {
            std::vector<StoredTensor> tensors = read_torch_zip(mapping);
            return {std::move(mapping), std::move(tensors)};
        }
        case Container::torch_legacy: {
            std::vector<StoredTensor> tensors = read_torch_legacy(mapping);
            return {std::move(mapping), std::move(tensors)};
        }
        case Container::safetensors:
            break;
    }
    model::SafetensorsFile file = model::SafetensorsFile::open(path);
    std::vector<StoredTensor> tensors = read_safetensors(file);
    return {std::move(file), std::move(tensors)};
}

const model::MappedFile& StateDict::mapping() const {
    const auto* safetensors = std::get_if<model::SafetensorsFile>(&file_);
    return safetensors != nullptr ? safetensors->mapping() : std::get<model::MappedFile>(file_);
}

bool StateDict::is_model() const {
    const auto* safetensors = std::get_if<model::SafetensorsFile>(&file_);
    return safetensors != nullptr && model::is_model(safetensors->metadata());
}

}  // namespace vgg19::converter
