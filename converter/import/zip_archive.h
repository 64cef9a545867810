// Reads zip files, as far as PyTorch's files need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "converter/import/byte_reader.h"
#include "converter/import/stored_tensor.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// Bytes, at most, that all compressed files of an archive may unpack to, for each byte of the archive, and
/// whatever its size. Weights hardly compress, and those of pruned networks to a tenth.
inline constexpr std::size_t unpacked_factor = 64;
inline constexpr std::size_t least_unpacked = std::size_t{256} << 20U;

/// An archive's files: views into the mapped file, or unpacked if they are compressed. Checksums (CRC-32) are
/// ignored, because PyTorch can be told not to write them.
class ZipArchive {
  public:
    struct Entry {
        std::size_t record = 0;  ///< offset of its entry in the central directory
        std::uint16_t flags = 0;
        std::uint16_t method = 0;
        std::uint64_t stored_size = 0;
        std::uint64_t size = 0;
        std::uint64_t header = 0;
    };
    using Entries = std::map<std::string_view, Entry>;

    /// Reads the central directory. Unpacked contents are put into `owned`. Throws Error (bad_input).
    ZipArchive(const model::MappedFile& file, OwnedBytes& owned);

    const Entries& entries() const { return entries_; }
    bool contains(std::string_view name) const { return entries_.contains(name); }
    /// The bytes of an existing file. Throws Error (bad_input) if it is encrypted, compressed other than with
    /// DEFLATE, corrupt, or not where the directory says; also if all unpacked data exceed the limits
    /// above, since several entries may share the same data.
    std::span<const std::byte> contents(std::string_view name);
    const std::string& name() const { return name_; }

  private:
    /// The position of the central directory.
    struct Directory {
        std::size_t begin = 0;
        std::size_t bytes = 0;
        std::uint64_t entries = 0;
        std::size_t offset = 0;  ///< of the end record
    };

    ByteReader reader(std::size_t begin) const { return {file_, name_, begin, file_.size()}; }
    void expect_signature(ByteReader& reader, std::uint32_t signature, const std::string& what) const;
    std::size_t find_end() const;
    Directory find_directory() const;
    Directory find_directory64(std::size_t end) const;
    std::pair<std::string_view, Entry> read_entry(ByteReader& directory) const;
    std::size_t data_offset(std::string_view entry, std::uint64_t header) const;

    std::span<const std::byte> file_;
    std::string name_;
    OwnedBytes& owned_;
    std::size_t unpacked_bytes_ = 0;
    std::size_t directory_begin_ = 0;
    Entries entries_;
};

}  // namespace vgg19::converter
