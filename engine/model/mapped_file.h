// A file in memory, read-only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace vgg19::model {

/// Maps a regular file. A change of the file by somebody else shows through, so writers replace files by
/// renaming.
class MappedFile {
  public:
    /// Throws Error (bad_input): no such file, a directory, unreadable.
    explicit MappedFile(std::filesystem::path path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;

    const std::filesystem::path& path() const { return path_; }
    std::span<const std::byte> bytes() const { return bytes_; }

    /// Says that a part of bytes() will not be read again soon: its pages leave this process (they stay in
    /// the page cache). Bytes of another memory are left alone.
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
