// For tests: writes pickles and PyTorch's stream format by hand, valid or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter::testing {

inline std::string little_endian(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
    return text;
}

/// Each member writes the operations that push one value, or that do one thing to it.
class PickleWriter {
  public:
    explicit PickleWriter(int protocol = 2) : content_({'\x80', static_cast<char>(protocol)}) {}

    PickleWriter& raw(std::string_view operations) {
        content_ += operations;
        return *this;
    }
    PickleWriter& integer(std::int64_t value) {
        return raw("\x8a\x08").raw(little_endian(static_cast<std::uint64_t>(value), 8));
    }
    PickleWriter& text(std::string_view value) {
        return raw("X").raw(little_endian(value.size(), 4)).raw(value);
    }
    PickleWriter& integers(const std::vector<std::int64_t>& values) {
        raw("(");
        for (const std::int64_t value : values) integer(value);
        return raw("t");
    }
    PickleWriter& global(std::string_view module, std::string_view name) {
        return raw("c").raw(module).raw("\n").raw(name).raw("\n");
    }
    PickleWriter& storage(std::string_view key, std::int64_t elements,
                          std::string_view type = "FloatStorage") {
        raw("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements);
        return raw("tQ");
    }
    /// Begins a call of _rebuild_tensor_v2; four more arguments must follow.
    PickleWriter& begin_tensor() { return global("torch._utils", "_rebuild_tensor_v2").raw("("); }
    PickleWriter& end_tensor() { return raw("\x89").global("collections", "OrderedDict").raw(")RtR"); }
    PickleWriter& tensor(std::string_view key, std::int64_t elements, std::int64_t offset,
                         const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                         std::string_view type = "FloatStorage") {
        begin_tensor().storage(key, elements, type).integer(offset);
        return integers(shape).integers(strides).end_tensor();
    }
    /// The pickle with STOP at its end.
    std::string finished() const { return content_ + "."; }

  private:
    std::string content_;
};

/// The three pickles at the beginning of a stream.
inline std::string legacy_preamble() {
    const std::string magic =
        PickleWriter().raw("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").finished();
    const std::string version = PickleWriter().integer(1001).finished();
    const std::string system = PickleWriter().raw("}").text("little_endian").raw("\x88s").finished();
    return magic + version + system;
}

/// A stream with one storage, "0", of `elements` zeros of 4 bytes.
inline std::string legacy_file(const std::string& state, std::size_t elements) {
    const std::string keys = PickleWriter().raw("]").text("0").raw("a").finished();
    return legacy_preamble() + state + keys + little_endian(elements, 8) + std::string(elements * 4, '\0');
}

}  // namespace vgg19::converter::testing
