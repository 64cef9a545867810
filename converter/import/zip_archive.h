// The zip format, as far as PyTorch's files need it.
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

/// An archive's files: where they are in the mapped file, or unpacked, if they are compressed. Sums (CRC-32)
/// are not compared: PyTorch can be told to write none.
class ZipArchive {
  public:
    struct Entry {
        std::size_t record = 0;  ///< where the central directory says this
        std::uint16_t flags = 0;
        std::uint16_t method = 0;
        std::uint64_t stored_size = 0;
        std::uint64_t size = 0;
        std::uint64_t header = 0;
    };
    using Entries = std::map<std::string_view, Entry>;

    /// Reads the central directory. What contents() unpacks is put into `owned`. Throws Error (bad_input).
    ZipArchive(const model::MappedFile& file, OwnedBytes& owned);

    const Entries& entries() const { return entries_; }
    bool contains(std::string_view name) const { return entries_.contains(name); }
    /// The bytes of a file that is there. Throws Error (bad_input) where it is encrypted, compressed in
    /// another way than DEFLATE, broken, not where the directory says, or where all that was unpacked is more
    /// than 2 GiB and 64 times the archive: several entries may have the same data.
    std::span<const std::byte> contents(std::string_view name);
    const std::string& name() const { return name_; }

  private:
    /// Where the central directory is.
    struct Directory {
        std::size_t begin = 0;
        std::size_t bytes = 0;
        std::uint64_t entries = 0;
        std::size_t offset = 0;  ///< of the record that says so
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
