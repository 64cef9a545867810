// Writes zip files without compression, as PyTorch's loader reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// Files of this size and more, and positions behind it, take zip's fields of 64 bits.
inline constexpr std::uint64_t zip64_from = 0xffffffff;

/// Writes one file after the other to a sink, each at a multiple of 64 bytes, so that its numbers can be used
/// where they are mapped. Checksums follow the contents, which are passed on as they come.
class ZipWriter {
  public:
    /// A test may have fields of 64 bits in a small file.
    explicit ZipWriter(model::Sink sink, std::uint64_t wide_from = zip64_from)
        : sink_(std::move(sink)), wide_from_(wide_from) {}

    /// Begins a file; `bytes` in all must then be passed to write(). `name` is ASCII.
    void begin(const std::string& name, std::uint64_t bytes);
    void write(std::span<const std::byte> bytes);
    /// A small file as a whole.
    void add(const std::string& name, std::string_view content);
    /// Ends the last file and writes the directory.
    void finish();

  private:
    struct Entry {
        std::string name;
        std::uint64_t header = 0;  ///< its position
        std::uint64_t bytes = 0;
        std::uint32_t checksum = 0;
    };

    void put(std::string_view text);
    void end_file();
    bool is_wide(std::uint64_t number) const { return number >= wide_from_; }
    std::string directory_entry(const Entry& entry) const;
    std::string end_record(std::uint64_t directory_begin, std::uint64_t directory_bytes) const;

    model::Sink sink_;
    std::uint64_t wide_from_;
    std::uint64_t position_ = 0;
    std::vector<Entry> entries_;
    bool is_open_ = false;
};

}  // namespace vgg19::converter
