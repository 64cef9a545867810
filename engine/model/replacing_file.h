// Writes a file atomically: either all of it or nothing appears.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vgg19::model {

/// A new file under a temporary name in the folder of `path`. `path` does not change before commit(); without
/// commit() the destructor deletes the new file.
class ReplacingFile {
  public:
    /// Follows symbolic links. Throws Error (failed) for a directory, a device, and a folder that is missing
    /// or not writable.
    explicit ReplacingFile(const std::filesystem::path& path);
    ~ReplacingFile();
    ReplacingFile(const ReplacingFile&) = delete;
    ReplacingFile& operator=(const ReplacingFile&) = delete;

    /// Appends. Throws Error (failed), for example if the disk is full or the file exceeds a limit.
    void write(std::span<const std::byte> bytes);

    /// Syncs the file, renames it to `path` and syncs the folder. Throws Error (failed).
    void commit();

  private:
    [[noreturn]] void fail(const char* what) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int descriptor_ = -1;
    std::uint64_t written_ = 0;
};

}  // namespace vgg19::model
