// A bounds-checked cursor over a part of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/model/foreign_text.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {

/// Throws Error (bad_input): "NAME: byte OFFSET: MESSAGE".
[[noreturn]] inline void fail_at(const std::string& name, std::size_t offset, const std::string& message) {
    throw Error(ErrorKind::bad_input, name + ": byte " + std::to_string(offset) + ": " + message);
}

using model::printable;

/// Reads from `begin` to `end` with bounds checks; numbers are little endian. Offsets count from the start of
/// the file. `what` names the item being read, for the message if the file is truncated.
class ByteReader {
  public:
    ByteReader(std::span<const std::byte> file, std::string name, std::size_t begin, std::size_t end)
        : file_(file.first(end)), name_(std::move(name)), offset_(begin) {}

    const std::string& name() const { return name_; }
    std::size_t offset() const { return offset_; }
    std::size_t remaining() const { return file_.size() - offset_; }

    std::span<const std::byte> bytes(std::uint64_t count, std::string_view what) {
        if (count > remaining()) {
            fail_at(name_, offset_,
                    "expected " + std::to_string(count) + " bytes for " + std::string(what) + ", found " +
                        std::to_string(remaining()));
        }
        const std::span<const std::byte> result = file_.subspan(offset_, count);
        offset_ += count;
        return result;
    }

    std::string_view text(std::uint64_t count, std::string_view what) {
        return model::as_text(bytes(count, what));
    }

    /// Reads up to the next line feed and skips it.
    std::string_view line(std::string_view what) {
        const std::string_view rest = model::as_text(file_.subspan(offset_));
        const std::size_t length = rest.find('\n');
        if (length == std::string_view::npos) {
            fail_at(name_, offset_, "expected a line with " + std::string(what) + ", found no end of line");
        }
        offset_ += length + 1;
        return rest.substr(0, length);
    }

    template <class T>
    T number(std::string_view what) {
        std::uint64_t value = 0;
        unsigned shift = 0;
        for (const std::byte byte : bytes(sizeof(T), what)) {
            value |= std::to_integer<std::uint64_t>(byte) << shift;
            shift += 8;
        }
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(value));
    }

  private:
    std::span<const std::byte> file_;
    std::string name_;
    std::size_t offset_;
};

}  // namespace vgg19::converter
