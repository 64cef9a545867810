#include "engine/model/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "engine/model/file_kind.h"
#include "engine/model/json_file.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;

struct DTypeEntry {
    DType dtype;
    const char* name;
    std::size_t bytes;
};

/// In the enumeration's order.
constexpr std::array<DTypeEntry, 10> dtypes = {{{DType::f64, "F64", 8},
                                                {DType::f32, "F32", 4},
                                                {DType::f16, "F16", 2},
                                                {DType::bf16, "BF16", 2},
                                                {DType::i64, "I64", 8},
                                                {DType::i32, "I32", 4},
                                                {DType::i16, "I16", 2},
                                                {DType::i8, "I8", 1},
                                                {DType::u8, "U8", 1},
                                                {DType::boolean, "BOOL", 1}}};

/// The format's types that DType lacks.
struct OtherDType {
    const char* name;
    std::size_t bits;
};
constexpr std::array<OtherDType, 12> other_dtypes = {{{"U16", 16},
                                                      {"U32", 32},
                                                      {"U64", 64},
                                                      {"C64", 64},
                                                      {"F8_E5M2", 8},
                                                      {"F8_E4M3", 8},
                                                      {"F8_E8M0", 8},
                                                      {"F8_E4M3FNUZ", 8},
                                                      {"F8_E5M2FNUZ", 8},
                                                      {"F6_E2M3", 6},
                                                      {"F6_E3M2", 6},
                                                      {"F4", 4}}};

[[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::bad_input, place + ": expected " + expected + ", found " + found);
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 100;  // a malicious header may have a name of several megabytes
    return Json(text.substr(0, longest)).dump() + (text.size() > longest ? "…" : "");
}

/// What the file says; the largest number if it is too short to say it.
std::uint64_t header_length(std::span<const std::byte> bytes) {
    if (bytes.size() < length_bytes) return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) {
        length = (length << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return length;
}

/// What header_text() and the recognition of other files read.
std::pair<MappedFile::Use, MappedFile::Use> use_header(const MappedFile& file) {
    constexpr std::size_t read_to_recognise = std::size_t{2} << 20U;
    const std::span<const std::byte> bytes = file.bytes();
    MappedFile::Use start = file.use(bytes.first(std::min(bytes.size(), read_to_recognise)));
    const std::uint64_t length = header_length(bytes);
    if (length > max_header_bytes || length > bytes.size() - length_bytes)
        return {std::move(start), MappedFile::Use()};
    return {std::move(start), file.use(bytes.first(length_bytes + length))};
}

/// The text of the header, a view into the file's bytes.
std::string_view header_text(const MappedFile& file) {
    const std::string name = file.path().string();
    const std::span<const std::byte> bytes = file.bytes();
    if (bytes.size() < length_bytes) {
        if (kind_of_file(bytes) != FileKind::unknown) {
            fail(name, "a safetensors file", describe_file_for_model(bytes));
        }
        fail(name, "8 bytes of header length", std::to_string(bytes.size()) + " bytes");
    }
    std::uint64_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) {
        length = (length << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
    }
    const std::string place = name + ": byte 0";
    const FileKind kind = kind_of_file(bytes);
    const bool other_start = bytes.size() > length_bytes && bytes[length_bytes] != std::byte{'{'};
    const bool foreign = kind == FileKind::unknown && length > max_header_bytes && other_start;
    if (foreign || (kind != FileKind::safetensors && kind != FileKind::unknown)) {
        fail(name, "a safetensors file", describe_file_for_model(bytes));
    }
    if (length > max_header_bytes) {
        fail(place, "a header length of at most " + std::to_string(max_header_bytes), std::to_string(length));
    }
    if (length > bytes.size() - length_bytes) {
        fail(place,
             "a header length of at most the " + std::to_string(bytes.size() - length_bytes) +
                 " bytes that follow it",
             std::to_string(length));
    }
    const std::string_view text = as_text(bytes.subspan(length_bytes, length));
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos || text[start] != '{') {
        fail(name + ": byte 8", "a header that starts with '{'", text.empty() ? "none" : "another byte");
    }
    return text;
}

Metadata read_metadata(const Json& entry, const std::string& file_name) {
    const std::string place = file_name + ": __metadata__";
    if (entry.is_null()) return {};
    if (!entry.is_object()) fail(place, "an object", "another value");
    Metadata metadata;
    for (const auto& [key, value] : entry.object()) {
        if (!value.is_string()) fail(place + ": " + in_quotes(key), "a string", "another value");
        metadata.emplace_back(key, value.string());
    }
    return metadata;
}

/// A type's size in bits, and its DType if it has one.
struct ReadDType {
    std::optional<DType> dtype;
    std::size_t bits = 0;
};

ReadDType read_dtype(const Json& value, const std::string& place) {
    std::string expected = "one of";
    for (const DTypeEntry& entry : dtypes) {
        if (value.is_string() && value.string() == entry.name) return {entry.dtype, 8 * entry.bytes};
        expected.append(" ").append(entry.name);
    }
    for (const OtherDType& other : other_dtypes) {
        if (value.is_string() && value.string() == other.name) return {{}, other.bits};
        expected.append(" ").append(other.name);
    }
    fail(place + ": dtype", expected, value.is_string() ? in_quotes(value.string()) : "another value");
}

/// A list of sizes. JSON's own errors (negative, not whole, not a number) get the place in front.
std::vector<std::size_t> read_sizes(const Json& value, const std::string& place) {
    try {
        std::vector<std::size_t> sizes;
        for (const Json& element : value.array()) sizes.push_back(element.size());
        return sizes;
    } catch (const Error& error) {
        throw Error(ErrorKind::bad_input, place + ": " + error.what());
    }
}

std::optional<std::size_t> product(std::size_t a, std::size_t b) {
    if (b != 0 && a > std::numeric_limits<std::size_t>::max() / b) return std::nullopt;
    return a * b;
}

std::size_t bytes_of(const std::vector<std::size_t>& shape, std::size_t bits_of_element,
                     const std::string& place) {
    std::optional<std::size_t> bits = bits_of_element;
    for (const std::size_t size : shape) {
        bits = product(*bits, size);
        if (!bits) fail(place + ": shape", "a size that fits 64 bits", "a larger one");
    }
    if (*bits % 8 != 0) fail(place + ": shape", "a whole number of bytes", std::to_string(*bits) + " bits");
    return *bits / 8;
}

std::string range_text(std::size_t begin, std::size_t end) {
    return std::to_string(begin) + " to " + std::to_string(end);
}

/// A tensor of any of the format's types; `known` is false if DType lacks its type.
struct ReadTensor {
    Tensor tensor;
    bool known = true;
};

ReadTensor read_tensor(const std::string& name, const Json& entry, std::span<const std::byte> data,
                       const std::string& file_name) {
    const std::string place = file_name + ": tensor " + in_quotes(name);
    if (!entry.is_object()) fail(place, "an object", "another value");
    Tensor tensor;
    tensor.name = name;
    const ReadDType type = read_dtype(member(entry, "dtype", place), place);
    tensor.dtype = type.dtype.value_or(DType::u8);
    tensor.shape = read_sizes(member(entry, "shape", place), place + ": shape");
    const std::size_t bytes = bytes_of(tensor.shape, type.bits, place);

    const std::string offsets_place = place + ": data_offsets";
    const std::vector<std::size_t> offsets = read_sizes(member(entry, "data_offsets", place), offsets_place);
    if (offsets.size() != 2) fail(offsets_place, "two numbers", std::to_string(offsets.size()));
    const std::string found = range_text(offsets[0], offsets[1]);
    if (offsets[0] > offsets[1]) fail(offsets_place, "a start before the end", found);
    if (offsets[1] > data.size()) {
        fail(offsets_place, "an end within the " + std::to_string(data.size()) + " bytes of data", found);
    }
    if (offsets[1] - offsets[0] != bytes) {
        fail(offsets_place, std::to_string(bytes) + " bytes for this type and shape",
             std::to_string(offsets[1] - offsets[0]) + " (" + found + ")");
    }
    tensor.bytes = data.subspan(offsets[0], bytes);
    return {std::move(tensor), type.dtype.has_value()};
}

/// `tensors` are sorted by offset; together they must cover the data without gap or overlap.
void check_layout(const std::vector<ReadTensor>& tensors, const std::string& name,
                  std::span<const std::byte> data) {
    const std::byte* expected = data.data();
    for (const auto& [tensor, known] : tensors) {
        if (tensor.bytes.data() != expected) {
            fail(name + ": tensor " + in_quotes(tensor.name),
                 "its data to start at " + std::to_string(expected - data.data()),
                 std::string(tensor.bytes.data() < expected ? "an overlap" : "a gap") + ": it starts at " +
                     std::to_string(tensor.bytes.data() - data.data()));
        }
        expected += tensor.bytes.size();
    }
    if (expected != data.data() + data.size()) {
        fail(name, std::to_string(expected - data.data()) + " bytes of data, as the header says",
             std::to_string(data.size()));
    }
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

}  // namespace

const char* dtype_name(DType dtype) {
    return dtypes[static_cast<std::size_t>(dtype)].name;
}

std::size_t dtype_bytes(DType dtype) {
    return dtypes[static_cast<std::size_t>(dtype)].bytes;
}

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
        std::string expected = "one of";
        for (const DTypeEntry& entry : dtypes) expected.append(" ").append(entry.name);
        fail(mapping_.path().string() + ": tensor " + in_quotes(others_[0].name) + ": dtype", expected,
             in_quotes(others_[0].dtype));
    }
    check_alignment(tensors_, mapping_);
}

SafetensorsFile SafetensorsFile::open_for_import(const std::filesystem::path& path) {
    return open_for_import(MappedFile(path));
}

SafetensorsFile SafetensorsFile::open_for_import(MappedFile file) {
    const std::string name = file.path().string();
    const auto [start, rest] = use_header(file);
    const std::string_view text = header_text(file);
    const Json header = Json::parse(text, name + ": header");
    const std::span<const std::byte> data = file.bytes().subspan(length_bytes + text.size());
    Metadata metadata;
    std::vector<ReadTensor> all;
    for (const auto& [key, entry] : header.object()) {
        if (key == "__metadata__") {
            metadata = read_metadata(entry, name);
        } else {
            all.push_back(read_tensor(key, entry, data, name));
        }
    }
    // An empty tensor comes before the one that starts at the same place.
    std::stable_sort(all.begin(), all.end(), [](const ReadTensor& a, const ReadTensor& b) {
        return std::pair(a.tensor.bytes.data(), a.tensor.bytes.size()) <
               std::pair(b.tensor.bytes.data(), b.tensor.bytes.size());
    });
    check_layout(all, name, data);
    std::vector<Tensor> tensors;
    std::vector<OtherTensor> others;
    for (ReadTensor& read : all) {
        if (read.known) {
            tensors.push_back(std::move(read.tensor));
        } else {
            others.push_back({read.tensor.name, header.find(read.tensor.name)->find("dtype")->string()});
        }
    }
    return {std::move(file), std::move(metadata), std::move(tensors), std::move(others)};
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
