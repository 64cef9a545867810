// A file's bytes: mapped read-only, or in memory that the caller has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace vgg19::model {

/// Maps a regular file. Changes by other programs show through, so writers must replace files by renaming.
class MappedFile {
  public:
    /// Throws Error (bad_input) if there is no such file, or it is a directory or unreadable.
    explicit MappedFile(std::filesystem::path path);
    /// Maps `length` bytes from `offset` on of an open file; all that follow if `length` is 0. The descriptor
    /// is neither kept nor closed, and its position does not matter. path() is "descriptor 7". Throws Error
    /// (bad_input) if it is none of a regular file that can be read, or the file is shorter.
    static MappedFile of_descriptor(int descriptor, std::uint64_t offset, std::uint64_t length);
    /// The caller's bytes, which must stay as they are; `owner` is kept as long as they are needed. path() is
    /// "model in memory".
    static MappedFile of_memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;

    /// For messages: the file's path, or what bytes() are instead.
    const std::filesystem::path& path() const { return path_; }
    std::span<const std::byte> bytes() const { return bytes_; }

    /// Announces that this part of bytes() will not be read again soon: its pages leave this process's memory
    /// but stay in the page cache. Does nothing for memory outside the mapping, and for the caller's.
    void release(std::span<const std::byte> part) const;

  private:
    MappedFile() = default;
    /// Maps the file behind `descriptor`.
    void map(int descriptor, std::uint64_t offset, std::uint64_t length);

    std::filesystem::path path_;
    std::span<const std::byte> bytes_;
    std::span<const std::byte> mapping_;  ///< whole pages around bytes_; empty for the caller's memory
    std::shared_ptr<const void> owner_;
};

/// Bytes of a text, or of what may be one.
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vgg19::model
