#include "converter/import/formats/protobuf_fields.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "converter/import/byte_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

/// For each byte of names and settings, since an empty text takes two.
constexpr std::size_t description_factor = 32;
/// For each message that is kept, and each field that is looked at.
constexpr std::size_t object_bytes = 256;

CodedInputStream stream_of(std::span<const std::byte> bytes) {
    return CodedInputStream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                            static_cast<int>(bytes.size()));
}

}  // namespace

ProtobufFile::ProtobufFile(const model::MappedFile& file, std::string format)
    : file_(file), format_(std::move(format)) {
    const std::size_t size = file.bytes().size();
    if (size <= static_cast<std::size_t>(std::numeric_limits<int>::max())) return;
    throw Error(ErrorKind::bad_input, name() + ": expected at most 2 GiB in a file of " + format_ +
                                          ", found " + std::to_string(size) + " bytes");
}

void ProtobufFile::fail(std::span<const std::byte> at, const std::string& found) const {
    const auto offset = static_cast<std::size_t>(at.data() - file_.bytes().data());
    fail_at(name(), offset, "expected a field of " + format_ + ", found " + found);
}

void ProtobufFile::spend(std::size_t bytes) {
    if (allowance_.take(bytes)) return;
    throw Error(ErrorKind::bad_input, name() + ": expected a network of " + format_ +
                                          ", found more names and settings than such networks have");
}

std::vector<ProtobufField> ProtobufFile::fields(std::span<const std::byte> message) {
    std::vector<ProtobufField> fields;
    CodedInputStream stream = stream_of(message);
    while (true) {
        const auto begin = static_cast<std::size_t>(stream.CurrentPosition());
        const std::uint32_t tag = stream.ReadTag();
        if (tag == 0) {
            if (begin != message.size()) fail(message.subspan(begin), "none that is valid");
            return fields;
        }
        spend(object_bytes);
        ProtobufField field{.number = WireFormatLite::GetTagFieldNumber(tag), .all = message.subspan(begin)};
        field.is_text = WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
        std::uint32_t length = 0;
        const bool is_read =
            field.is_text ? stream.ReadVarint32(&length) : WireFormatLite::SkipField(&stream, tag);
        auto end = static_cast<std::size_t>(stream.CurrentPosition());
        if (!is_read || length > message.size() - end) fail(field.all, "one that ends behind its message");
        if (field.is_text) {
            field.content = message.subspan(end, length);
            stream.Skip(static_cast<int>(length));
            end += length;
        }
        field.all = message.subspan(begin, end - begin);
        fields.push_back(field);
    }
}

void ProtobufFile::merge(const ProtobufField& field, google::protobuf::MessageLite& message,
                         bool is_numbers) {
    if (!is_numbers) spend(object_bytes + description_factor * field.all.size());
    CodedInputStream stream = stream_of(field.all);
    if (message.MergePartialFromCodedStream(&stream) && stream.ConsumedEntireMessage()) return;
    fail(field.all, "one that is not valid");
}

bool begins_with_text_field(std::span<const std::byte> message, int field) {
    constexpr std::size_t most = 16;
    CodedInputStream stream = stream_of(message.first(std::min(most, message.size())));
    std::uint32_t length = 0;
    const std::uint32_t tag = WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
    return stream.ReadTag() == tag && stream.ReadVarint32(&length) && length <= message.size();
}

}  // namespace vgg19::converter
