// A read-only memory-mapped file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace vgg19::model {

/// Maps a regular file. Changes by other programs show through, so writers must replace files by renaming.
class MappedFile {
  public:
    /// Throws Error (bad_input) if there is no such file, or it is a directory or unreadable.
    explicit MappedFile(std::filesystem::path path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;

    const std::filesystem::path& path() const { return path_; }
    std::span<const std::byte> bytes() const { return bytes_; }

    /// Announces that this part of bytes() will not be read again soon: its pages leave this process's memory
    /// but stay in the page cache. Does nothing for memory outside the mapping.
    void release(std::span<const std::byte> part) const;

  private:
    std::filesystem::path path_;
    std::span<const std::byte> bytes_;
};

/// Bytes of a text, or of what may be one.
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vgg19::model
