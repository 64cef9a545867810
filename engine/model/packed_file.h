// Packed files: a file as a stream of Zstandard frames (RFC 8878), each with its content's size and checksum.
// `zstd -d` gives the plain file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "engine/model/mapped_file.h"
#include "engine/model/page_source.h"

namespace vgg19::model {

/// Whether a file begins with a frame.
inline bool is_packed(std::span<const std::byte> file) {
    return as_text(file).starts_with("\x28\xb5\x2f\xfd");
}

/// What a build without libzstd says of packed files.
inline constexpr std::string_view needs_zstd =
    "this vgg19 was built without libzstd, which it needs for packed files: install its development files, "
    "and "
    "build it with -DVGG19_ZSTD=ON";

/// Bytes that a packed file may hold, at most, for each byte of it, and whatever its size. Weights hardly
/// compress; those of pruned networks to a tenth.
inline constexpr std::size_t unpacked_factor = 64;
inline constexpr std::size_t least_unpacked = std::size_t{64} << 20U;
/// The same for the header of the safetensors file in it, of which readers make several times as many bytes.
inline constexpr std::size_t unpacked_header_factor = 8;
inline constexpr std::size_t least_unpacked_header = std::size_t{1} << 20U;

/// The content of a packed file, each frame unpacked when it is read, as often as it is read. Throws Error
/// (bad_input) for frames that are cut off or damaged or do not tell their content's size, for contents
/// beyond the bounds above, and in a build without libzstd. What it allocates is less than the file, however
/// large the frames say they are.
std::unique_ptr<const PageSource> unpacking(std::shared_ptr<const MappedFile> packed);

/// Packs a file while it is written.
class Packer {
  public:
    using Sink = std::function<void(std::span<const std::byte> bytes)>;

    /// What the frames hold; the last one may hold less. The size of a large page, so that each frame has
    /// one of its own when it is unpacked.
    static constexpr std::size_t frame_bytes = std::size_t{2} << 20U;

    /// Throws Error (usage) in a build without libzstd.
    explicit Packer(Sink sink);
    ~Packer();
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    /// Appends bytes to what is packed. Throws what the sink throws.
    void write(std::span<const std::byte> bytes);
    /// Packs the rest. Throws Error (failed) if the content is so much larger than the packed file that
    /// unpacking() would refuse it.
    void finish();

  private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19::model
