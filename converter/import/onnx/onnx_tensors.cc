#include "converter/import/onnx/onnx_tensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "converter/import/byte_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using model::DType;
using onnx::TensorProto;

std::optional<DType> floating_type(int type) {
    switch (type) {
        case TensorProto::FLOAT:
            return DType::f32;
        case TensorProto::FLOAT16:
            return DType::f16;
        case TensorProto::BFLOAT16:
            return DType::bf16;
        case TensorProto::DOUBLE:
            return DType::f64;
        default:
            return {};
    }
}

std::string type_text(int type) {
    constexpr std::array names = {"no type", "float",  "uint8",   "int8",    "uint16",  "int16",
                                  "int32",   "int64",  "strings", "bool",    "float16", "double",
                                  "uint32",  "uint64", "complex", "complex", "bfloat16"};
    const auto place = static_cast<std::size_t>(type);
    return type >= 0 && place < names.size() ? names[place] : "type " + std::to_string(type);
}

/// As the format's numbers are, little endian.
template <class Stored, class List>
std::vector<std::byte> bytes_of(const List& list) {
    static_assert(std::endian::native == std::endian::little);
    std::vector<std::byte> bytes(static_cast<std::size_t>(list.size()) * sizeof(Stored));
    std::size_t place = 0;
    for (const auto value : list) {
        const auto stored = static_cast<Stored>(value);
        std::memcpy(bytes.data() + place, &stored, sizeof stored);
        place += sizeof stored;
    }
    return bytes;
}

/// The bytes that the tensor's place in another file gives under this key; none for what is no such number.
std::optional<std::uint64_t> number_of(const TensorProto& tensor, const std::string& key,
                                       std::uint64_t otherwise) {
    for (const auto& entry : tensor.external_data()) {
        if (entry.key() != key) continue;
        const std::string& text = entry.value();
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool is_number = error == std::errc() && end == text.data() + text.size();
        return is_number ? std::optional(number) : std::nullopt;
    }
    return otherwise;
}

/// Whether the path, with all links followed, is below the folder.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
    const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return !folder.empty() && end == folder.end() && rest != path.end();
}

}  // namespace

void OnnxTensors::fail(const std::string& name, const std::string& expected, const std::string& found) const {
    throw Error(ErrorKind::bad_input, file_.path().string() + ": tensor " + printable(name) + ": expected " +
                                          expected + ", found " + found);
}

const model::MappedFile& OnnxTensors::open(const std::string& location, const std::string& name) {
    if (const auto found = opened_.find(location); found != opened_.end()) {
        return contents_.others[found->second];
    }
    const std::filesystem::path given(location);
    const bool leads_out = given.is_absolute() || std::find(given.begin(), given.end(), "..") != given.end();
    if (location.empty() || leads_out || location.find('\0') != std::string::npos) {
        fail(name, "its elements in a file beside the model or below", printable(location));
    }
    const std::filesystem::path beside = file_.path().parent_path() / given;
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(beside, error);
    if (error) {
        fail(name, "its elements in " + printable(beside.string()), "no such file; keep both together");
    }
    // A link may lead elsewhere only if the model is a link into the same folder, as in caches of downloads.
    const std::filesystem::path folder = file_.path().parent_path();
    const bool is_beside = is_below(real, std::filesystem::canonical(folder.empty() ? "." : folder, error)) ||
                           is_below(real, std::filesystem::canonical(file_.path(), error).parent_path());
    if (!is_beside) {
        fail(name, "its elements in a file beside the model or below", "a link to " + real.string());
    }
    contents_.others.emplace_back(beside);
    opened_.emplace(location, contents_.others.size() - 1);
    return contents_.others.back();
}

std::span<const std::byte> OnnxTensors::external(const OnnxTensor& tensor, const std::string& name) {
    std::string location;
    for (const auto& entry : tensor.info.external_data()) {
        if (entry.key() == "location") location = entry.value();
    }
    const std::span<const std::byte> all = open(location, name).bytes();
    const std::optional<std::uint64_t> given = number_of(tensor.info, "offset", 0);
    const std::uint64_t offset = given.value_or(0);
    const std::uint64_t left = offset <= all.size() ? all.size() - offset : 0;
    const std::optional<std::uint64_t> length = number_of(tensor.info, "length", left);
    if (!given || !length) {
        fail(name, "its elements in " + printable(location) + " at an offset and of a length in bytes",
             "one of them that is no such number");
    }
    if (offset <= all.size() && *length <= left) return all.subspan(offset, *length);
    fail(name, "its elements in " + printable(location),
         "a place behind the file's end, at byte " + std::to_string(offset) + " of " +
             std::to_string(all.size()));
}

std::span<const std::byte> OnnxTensors::elements_of(const OnnxTensor& tensor, DType dtype, std::size_t count,
                                                    const std::string& name) {
    const TensorProto& info = tensor.info;
    if (info.data_location() == TensorProto::EXTERNAL) return external(tensor, name);
    const bool is_list = tensor.elements_field == TensorProto::kFloatDataFieldNumber ||
                         tensor.elements_field == TensorProto::kDoubleDataFieldNumber;
    const int list =
        dtype == DType::f64 ? TensorProto::kDoubleDataFieldNumber : TensorProto::kFloatDataFieldNumber;
    if (tensor.elements_field != 0 && (!is_list || tensor.elements_field == list)) return tensor.elements;
    const auto owned = [this](std::vector<std::byte> bytes) {
        contents_.owned.push_back(std::move(bytes));
        return std::span<const std::byte>(contents_.owned.back());
    };
    const auto expected = static_cast<int>(std::min<std::size_t>(count, INT32_MAX));
    if (dtype == DType::f32 && info.float_data_size() == expected) {
        return owned(bytes_of<float>(info.float_data()));
    }
    if (dtype == DType::f64 && info.double_data_size() == expected) {
        return owned(bytes_of<double>(info.double_data()));
    }
    const bool is_half = dtype == DType::f16 || dtype == DType::bf16;
    if (is_half && info.int32_data_size() == expected) {
        return owned(bytes_of<std::uint16_t>(info.int32_data()));
    }
    return {};
}

StoredTensor OnnxTensors::weights(const OnnxTensor& tensor, const std::string& name) {
    constexpr int most_dimensions = 8;
    constexpr std::uint64_t most_elements = std::uint64_t{1} << 40U;
    const std::optional<DType> dtype = floating_type(tensor.info.data_type());
    if (!dtype) {
        fail(name, "float, float16, bfloat16 or double",
             type_text(tensor.info.data_type()) + "; of a quantised model convert the file it was made from");
    }
    StoredTensor stored{.name = name, .dtype = *dtype};
    std::uint64_t elements = 1;
    for (const std::int64_t size : tensor.info.dims()) {
        const bool fits = size > 0 && static_cast<std::uint64_t>(size) <= most_elements / elements;
        if (!fits || tensor.info.dims_size() > most_dimensions) fail(name, "the shape of weights", "another");
        elements *= static_cast<std::uint64_t>(size);
        stored.shape.push_back(static_cast<std::size_t>(size));
    }
    stored.strides = contiguous_strides(stored.shape);
    stored.bytes = elements_of(tensor, *dtype, elements, name);
    const std::size_t bytes = elements * model::dtype_bytes(*dtype);
    if (stored.bytes.size() == bytes) return stored;
    fail(name, std::to_string(bytes) + " bytes for the shape " + shape_text(stored.shape),
         std::to_string(stored.bytes.size()));
}

std::vector<std::int64_t> OnnxTensors::integers(const OnnxTensor& tensor, const std::string& name) {
    constexpr int longest = 16;
    const TensorProto& info = tensor.info;
    if (info.data_type() != TensorProto::INT64) fail(name, "int64", type_text(info.data_type()));
    if (info.int64_data_size() > 0 && info.int64_data_size() <= longest) {
        return {info.int64_data().begin(), info.int64_data().end()};
    }
    const std::size_t count = tensor.elements.size() / sizeof(std::int64_t);
    if (count > longest || tensor.elements_field != TensorProto::kRawDataFieldNumber) {
        fail(name, "a short list of whole numbers", "other contents");
    }
    std::vector<std::int64_t> values(count);
    std::memcpy(values.data(), tensor.elements.data(), count * sizeof(std::int64_t));
    return values;
}

}  // namespace vgg19::converter
