#include "engine/model/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "engine/model/file_kind.h"
#include "engine/model/foreign_text.h"
#include "engine/model/json_reader.h"
#include "engine/model/packed_file.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

using Kind = JsonReader::Kind;

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;

/// The most for this file.
std::uint64_t max_header_bytes_of(const MappedFile& file) {
    if (!file.is_unpacked()) return max_header_bytes;
    return std::min(max_header_bytes, file.stored_bytes() * unpacked_header_factor + least_unpacked_header);
}
/// As many as NumPy and PyTorch allow.
constexpr std::size_t most_dimensions = 64;

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

/// As the first bytes say; the largest number if there are too few.
std::uint64_t header_length(std::span<const std::byte> bytes) {
    if (bytes.size() < length_bytes) return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) {
        length = (length << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return length;
}

/// What header_text() reads.
std::array<MappedFile::Use, 2> use_header(const MappedFile& file) {
    // Files of other kinds; of packed ones a frame.
    const std::size_t read_to_recognise = file.is_unpacked() ? Packer::frame_bytes : std::size_t{2} << 20U;
    const std::span<const std::byte> bytes = file.bytes();
    std::array<MappedFile::Use, 2> uses;
    uses[0] = file.use(bytes.first(std::min(bytes.size(), read_to_recognise)));
    const std::uint64_t length = header_length(bytes);
    if (length <= max_header_bytes_of(file) && length <= bytes.size() - length_bytes) {
        uses[1] = file.use(bytes.first(length_bytes + length));
    }
    return uses;
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
    const std::uint64_t length = header_length(bytes);
    const std::string place = name + ": byte 0";
    const FileKind kind = kind_of_file(bytes);
    const bool other_start = bytes.size() > length_bytes && bytes[length_bytes] != std::byte{'{'};
    const std::uint64_t most = max_header_bytes_of(file);
    const bool foreign = kind == FileKind::unknown && length > most && other_start;
    if (foreign || (kind != FileKind::safetensors && kind != FileKind::unknown)) {
        fail(name, "a safetensors file", describe_file_for_model(bytes));
    }
    if (length > most) {
        fail(place, "a header length of at most " + std::to_string(most), std::to_string(length));
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

const char* kind_text(Kind kind) {
    constexpr std::array texts = {"null", "a number", "a boolean", "a string", "an array", "an object"};
    constexpr std::array kinds = {Kind::null,   Kind::number, Kind::boolean,
                                  Kind::string, Kind::array,  Kind::object};
    return texts[static_cast<std::size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin())];
}

/// Those of the object that comes next, which stays the next one.
std::size_t count_members(JsonReader reader) {
    std::size_t count = 0;
    reader.object([&](const std::string&) {
        reader.skip();
        ++count;
    });
    return count;
}

Metadata read_metadata(JsonReader& reader, const std::string& file_name) {
    const std::string place = file_name + ": __metadata__";
    const Kind kind = reader.next();
    Metadata metadata;
    if (kind == Kind::null) {
        reader.skip();
        return metadata;
    }
    if (kind != Kind::object) fail(place, "an object", "another value");
    metadata.reserve(count_members(reader));
    reader.object([&](std::string& key) {
        if (reader.next() != Kind::string) fail(place + ": " + in_quotes(key), "a string", "another value");
        std::string value = reader.string();
        metadata.emplace_back(std::move(key), std::move(value));
    });
    return metadata;
}

/// A type's size in bits, and its DType if it has one.
struct ReadDType {
    std::optional<DType> dtype;
    std::size_t bits = 0;  ///< 0: the format has no such type
    const char* name = "";
};

ReadDType find_dtype(std::string_view name) {
    for (const DTypeEntry& entry : dtypes) {
        if (name == entry.name) return {entry.dtype, 8 * entry.bytes, entry.name};
    }
    for (const OtherDType& other : other_dtypes) {
        if (name == other.name) return {{}, other.bits, other.name};
    }
    return {};
}

ReadDType read_dtype(JsonReader& reader, const std::string& place) {
    std::string found = "another value";
    if (reader.next() == Kind::string) {
        const std::string name = reader.string();
        const ReadDType type = find_dtype(name);
        if (type.bits != 0) return type;
        found = in_quotes(name);
    }
    std::string expected = known_dtypes_text();
    for (const OtherDType& other : other_dtypes) expected.append(" ").append(other.name);
    fail(place + ": dtype", expected, found);
}

std::vector<std::size_t> read_sizes(JsonReader& reader, const std::string& place) {
    if (reader.next() != Kind::array) fail(place, "an array", kind_text(reader.next()));
    std::vector<std::size_t> sizes;
    reader.array([&] {
        const std::string expected = "a whole number that is not negative";
        if (reader.next() != Kind::number) fail(place, expected, kind_text(reader.next()));
        if (sizes.size() == most_dimensions) {
            fail(place, "at most " + std::to_string(most_dimensions) + " numbers", "more");
        }
        try {
            sizes.push_back(reader.value().size());
        } catch (const JsonTypeError& error) {
            throw Error(ErrorKind::bad_input, place + ": " + error.what());
        }
    });
    return sizes;
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

/// The members of a tensor's entry.
struct Entry {
    std::optional<ReadDType> dtype;
    std::optional<std::vector<std::size_t>> shape;
    std::optional<std::vector<std::size_t>> offsets;
};

Entry read_entry(JsonReader& reader, const std::string& place) {
    if (reader.next() != Kind::object) fail(place, "an object", "another value");
    Entry entry;
    reader.object([&](const std::string& key) {
        if (key == "dtype") {
            entry.dtype = read_dtype(reader, place);
        } else if (key == "shape") {
            entry.shape = read_sizes(reader, place + ": shape");
        } else if (key == "data_offsets") {
            entry.offsets = read_sizes(reader, place + ": data_offsets");
        } else {
            reader.skip();
        }
    });
    const auto require = [&place](bool is_there, const char* key) {
        if (!is_there) fail(place, "a member \"" + std::string(key) + '"', "none");
    };
    require(entry.dtype.has_value(), "dtype");
    require(entry.shape.has_value(), "shape");
    require(entry.offsets.has_value(), "data_offsets");
    return entry;
}

HeaderTensor read_tensor(JsonReader& reader, std::string name, std::span<const std::byte> data,
                         const std::string& file_name) {
    const std::string place = file_name + ": tensor " + in_quotes(name);
    Entry entry = read_entry(reader, place);
    const std::size_t bytes = bytes_of(*entry.shape, entry.dtype->bits, place);
    const std::string offsets_place = place + ": data_offsets";
    const std::vector<std::size_t>& offsets = *entry.offsets;
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
    return {std::move(name), entry.dtype->dtype, entry.dtype->name, std::move(*entry.shape),
            data.subspan(offsets[0], bytes)};
}

/// `tensors` are sorted by offset; together they must cover the data without gap or overlap.
void check_layout(const std::deque<HeaderTensor>& tensors, const std::string& name,
                  std::span<const std::byte> data) {
    const std::byte* expected = data.data();
    for (const HeaderTensor& tensor : tensors) {
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

}  // namespace

const char* dtype_name(DType dtype) {
    return dtypes[static_cast<std::size_t>(dtype)].name;
}

std::size_t dtype_bytes(DType dtype) {
    return dtypes[static_cast<std::size_t>(dtype)].bytes;
}

std::string known_dtypes_text() {
    std::string text = "one of";
    for (const DTypeEntry& entry : dtypes) text.append(" ").append(entry.name);
    return text;
}

SafetensorsHeader read_safetensors_header(const MappedFile& file) {
    const std::string name = file.path().string();
    const auto uses = use_header(file);
    const std::string_view text = header_text(file);
    const std::span<const std::byte> data = file.bytes().subspan(length_bytes + text.size());
    SafetensorsHeader header;
    const std::string place = name + ": header";
    JsonReader reader(text, place);
    reader.next();
    reader.object([&](std::string& key) {
        if (key == "__metadata__") {
            header.metadata = read_metadata(reader, name);
        } else {
            header.tensors.push_back(read_tensor(reader, std::move(key), data, name));
        }
    });
    reader.end();
    // An empty tensor comes before the one that starts at the same place.
    std::stable_sort(
        header.tensors.begin(), header.tensors.end(), [](const HeaderTensor& a, const HeaderTensor& b) {
            return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
        });
    check_layout(header.tensors, name, data);
    return header;
}

}  // namespace vgg19::model
