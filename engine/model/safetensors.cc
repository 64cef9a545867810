#include "engine/model/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/model/file_kind.h"
#include "engine/model/foreign_text.h"
#include "engine/model/packed_file.h"
#include "engine/model/safetensors_header.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

[[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::bad_input, place + ": expected " + expected + ", found " + found);
}

/// Elements are accessed directly in the file's bytes, so they must be aligned.
void check_alignment(const std::vector<Tensor>& tensors, const MappedFile& file) {
    const auto start = reinterpret_cast<std::uintptr_t>(file.bytes().data());
    for (const Tensor& tensor : tensors) {
        const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
        const std::size_t element = dtype_bytes(tensor.dtype);
        if (address % element == 0) continue;
        const std::size_t shift = start % element;  // 0 if the file is mapped from its first byte on
        const std::string wanted = "a multiple of " + std::to_string(element) + " bytes";
        fail(file.path().string() + ": tensor " + in_quotes(tensor.name),
             "its data at " + wanted + (shift == 0 ? " of the file" : ""),
             "byte " + std::to_string(address - start) +
                 (shift == 0 ? "" : ", and the file starts at " + wanted + " + " + std::to_string(shift)));
    }
}

MappedFile unpacked_if_packed(MappedFile file) {
    {
        constexpr std::size_t looked_at = 4096;
        const auto start = file.bytes().first(std::min(file.bytes().size(), looked_at));
        const MappedFile::Use use = file.use(start);
        if (!is_packed(start)) return file;
    }
    MappedFile plain = MappedFile::unpacked(std::move(file));
    const auto start = plain.bytes().first(std::min(plain.bytes().size(), Packer::frame_bytes));
    const MappedFile::Use use = plain.use(start);
    const FileKind kind = kind_of_file(start);
    if (kind != FileKind::safetensors && kind != FileKind::unknown) {
        fail(plain.path().string() + ": a Zstandard file", "a safetensors file in it",
             describe_file_for_model(start));
    }
    return plain;
}

}  // namespace

std::size_t Tensor::elements() const {
    std::size_t count = 1;
    for (const std::size_t size : shape) count *= size;
    return count;
}

const std::string* find(const Metadata& metadata, std::string_view key) {
    for (const auto& [name, value] : metadata) {
        if (name == key) return &value;
    }
    return nullptr;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
    SafetensorsFile file = open_for_import(path);
    file.check_in_place();
    return file;
}

void SafetensorsFile::check_in_place() const {
    if (!others_.empty()) {
        fail(mapping_.path().string() + ": tensor " + in_quotes(others_[0].name) + ": dtype",
             known_dtypes_text(), in_quotes(others_[0].dtype));
    }
    check_alignment(tensors_, mapping_);
}

SafetensorsFile SafetensorsFile::open_for_import(const std::filesystem::path& path) {
    return open_for_import(MappedFile(path));
}

SafetensorsFile SafetensorsFile::open_for_import(MappedFile file) {
    const bool read_freely = file.is_read_freely();
    file = unpacked_if_packed(std::move(file));
    SafetensorsHeader header = read_safetensors_header(file);
    if (read_freely && !file.is_read_freely()) file.use_all();
    std::vector<OtherTensor> others;
    std::vector<Tensor> tensors;
    tensors.reserve(header.tensors.size());
    for (HeaderTensor& read : header.tensors) {
        if (read.dtype) {
            tensors.push_back({std::move(read.name), *read.dtype, std::move(read.shape), read.bytes});
        } else {
            others.push_back({std::move(read.name), read.dtype_name});
        }
    }
    return {std::move(file), std::move(header.metadata), std::move(tensors), std::move(others)};
}

void SafetensorsFile::hold(const Tensor& tensor) {
    held_.push_back(mapping_.use(tensor.bytes));
}

const Tensor* SafetensorsFile::find(std::string_view name) const {
    const auto found =
        std::find_if(tensors_.begin(), tensors_.end(), [name](const Tensor& t) { return t.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace vgg19::model
