// Reads protocol buffers field by field, so that weights stay where they are in the mapped file: a library's
// messages would hold a copy of them.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/import/memory_allowance.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// What names, settings and the objects for them may take, whatever the file's size: those of a VGG take less
/// than a tenth.
inline constexpr std::size_t protobuf_description_bytes = std::size_t{64} << 20U;

struct ProtobufField {
    int number = 0;
    bool is_text = false;                  ///< text, bytes, a message or a packed list
    std::span<const std::byte> all;        ///< with its tag
    std::span<const std::byte> content{};  ///< if it is text
};

/// A file of one message. Errors (bad_input) name the file and the byte.
class ProtobufFile {
  public:
    /// `format` is what the file should be, "ONNX". Throws Error for more than 2 GiB, protobuf's limit.
    ProtobufFile(const model::MappedFile& file, std::string format);

    std::span<const std::byte> bytes() const { return file_.bytes(); }
    std::string name() const { return file_.path().string(); }
    /// The fields of a message in the file, in order.
    std::vector<ProtobufField> fields(std::span<const std::byte> message);
    /// Adds a field to a message in memory. Numbers, which take at most eight times their bytes, are free.
    void merge(const ProtobufField& field, google::protobuf::MessageLite& message, bool is_numbers = false);

  private:
    [[noreturn]] void fail(std::span<const std::byte> at, const std::string& found) const;
    void spend(std::size_t bytes);

    const model::MappedFile& file_;
    std::string format_;
    MemoryAllowance allowance_{protobuf_description_bytes};
};

/// Whether a message begins with these bytes: its first field is number `field`, with a length that fits.
bool begins_with_text_field(std::span<const std::byte> message, int field);

}  // namespace vgg19::converter
