#include "engine/model/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "engine/model/file_kind.h"
#include "engine/model/json.h"
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

/// In the order of the enumeration.
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

[[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::bad_input, place + ": expected " + expected + ", found " + found);
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 100;  // a name that a hostile header makes up may be megabytes long
    return Json(text.substr(0, longest)).dump() + (text.size() > longest ? "…" : "");
}

/// The header's text, in the file's bytes.
std::string_view header_text(const MappedFile& file) {
    const std::string name = file.path().string();
    const std::span<const std::byte> bytes = file.bytes();
    if (bytes.size() < length_bytes) {
        if (kind_of_file(bytes) != FileKind::unknown)
            fail(name, "a safetensors file", describe_file_for_model(bytes));
        fail(name, "8 bytes of header length", std::to_string(bytes.size()) + " bytes");
    }
    std::uint64_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) {
        length = (length << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
    }
    const std::string place = name + ": byte 0";
    const FileKind kind = kind_of_file(bytes);
    if (kind != FileKind::safetensors && (kind != FileKind::unknown || length > max_header_bytes)) {
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
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + length_bytes, length);
    if (text.empty() || text[0] != '{') {
        fail(name + ": byte 8", "a header that starts with '{'", text.empty() ? "none" : "another byte");
    }
    return text;
}

const Json& member(const Json& entry, const char* key, const std::string& place) {
    const Json* found = entry.find(key);
    if (found == nullptr) fail(place, std::string("a member \"") + key + '"', "none");
    return *found;
}

Metadata read_metadata(const Json& entry, const std::string& file_name) {
    const std::string place = file_name + ": __metadata__";
    if (!entry.is_object()) fail(place, "an object", "another value");
    Metadata metadata;
    for (const auto& [key, value] : entry.object()) {
        if (!value.is_string()) fail(place + ": " + in_quotes(key), "a string", "another value");
        metadata.emplace_back(key, value.string());
    }
    return metadata;
}

DType read_dtype(const Json& value, const std::string& place) {
    std::string expected = "one of";
    for (const DTypeEntry& entry : dtypes) {
        if (value.is_string() && value.string() == entry.name) return entry.dtype;
        expected.append(" ").append(entry.name);
    }
    fail(place + ": dtype", expected, value.is_string() ? in_quotes(value.string()) : "another value");
}

/// A list of sizes; JSON's own errors (negative, not whole, not a number) get the place put before them.
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

std::size_t bytes_of(const Tensor& tensor, const std::string& place) {
    std::optional<std::size_t> bytes = dtype_bytes(tensor.dtype);
    for (const std::size_t size : tensor.shape) {
        bytes = product(*bytes, size);
        if (!bytes) fail(place + ": shape", "a size that fits 64 bits", "a larger one");
    }
    return *bytes;
}

std::string range_text(std::size_t begin, std::size_t end) {
    return std::to_string(begin) + " to " + std::to_string(end);
}

Tensor read_tensor(const std::string& name, const Json& entry, std::span<const std::byte> data,
                   const std::string& file_name) {
    const std::string place = file_name + ": tensor " + in_quotes(name);
    if (!entry.is_object()) fail(place, "an object", "another value");
    Tensor tensor;
    tensor.name = name;
    tensor.dtype = read_dtype(member(entry, "dtype", place), place);
    tensor.shape = read_sizes(member(entry, "shape", place), place + ": shape");
    const std::size_t bytes = bytes_of(tensor, place);

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
    return tensor;
}

/// `tensors` are sorted by their bytes: those must fill the data from end to end, each tensor's at a multiple
/// of its element's size in the file.
void check_layout(const std::vector<Tensor>& tensors, const MappedFile& file,
                  std::span<const std::byte> data) {
    const std::string name = file.path().string();
    const std::byte* expected = data.data();
    for (const Tensor& tensor : tensors) {
        const std::string place = name + ": tensor " + in_quotes(tensor.name);
        if (tensor.bytes.data() != expected) {
            fail(place, "its data to start at " + std::to_string(expected - data.data()),
                 std::string(tensor.bytes.data() < expected ? "an overlap" : "a gap") + ": it starts at " +
                     std::to_string(tensor.bytes.data() - data.data()));
        }
        const auto offset = static_cast<std::size_t>(expected - file.bytes().data());
        if (offset % dtype_bytes(tensor.dtype) != 0) {
            fail(place,
                 "its data at a multiple of " + std::to_string(dtype_bytes(tensor.dtype)) +
                     " bytes of the file",
                 "byte " + std::to_string(offset));
        }
        expected += tensor.bytes.size();
    }
    if (expected != data.data() + data.size()) {
        fail(name, std::to_string(expected - data.data()) + " bytes of data, as the header says",
             std::to_string(data.size()));
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
    MappedFile file(path);
    const std::string name = path.string();
    const std::string_view text = header_text(file);
    const Json header = Json::parse(text, name + ": header");
    const std::span<const std::byte> data = file.bytes().subspan(length_bytes + text.size());
    Metadata metadata;
    std::vector<Tensor> tensors;
    for (const auto& [key, entry] : header.object()) {
        if (key == "__metadata__") {
            metadata = read_metadata(entry, name);
        } else {
            tensors.push_back(read_tensor(key, entry, data, name));
        }
    }
    // An empty tensor comes before the one that starts at the same place.
    std::stable_sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
        return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
    });
    check_layout(tensors, file, data);
    return {std::move(file), std::move(metadata), std::move(tensors)};
}

const Tensor* SafetensorsFile::find(std::string_view name) const {
    const auto found =
        std::find_if(tensors_.begin(), tensors_.end(), [name](const Tensor& t) { return t.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace vgg19::model
