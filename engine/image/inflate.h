// Unpacks zlib streams (RFC 1950): with zlib if the build has it, else with stb_image.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

/// How much more than expected a stream may unpack to.
inline constexpr std::size_t most_excess_bytes = std::size_t{1} << 20U;

/// The bytes that unpacking needs in addition to the result, given what a stream unpacks to: zlib's window,
/// or all data, since stb_image unpacks a stream as a whole.
std::size_t inflater_bytes(std::size_t packed_bytes, std::size_t unpacked_bytes);

/// A stream that lies in several pieces, of which `expected_bytes` are asked for.
class Inflater {
  public:
    /// Throws Error (bad_input) if the stream is damaged where it begins.
    Inflater(std::vector<Bytes> pieces, std::size_t expected_bytes);
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater();

    /// Fills `out` with the next bytes. Throws Error (bad_input) where the stream is damaged or ends, and
    /// std::bad_alloc.
    void read(std::span<std::uint8_t> out);

    /// Reads the rest, which should be nothing but the checksum, and compares that. Throws Error (bad_input)
    /// if it is wrong or missing, or if the stream goes on.
    void finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19
