// Writing a file so that it is there whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vgg19::model {

/// A new file under a temporary name in the folder of `path`. Until commit() returns, `path` is untouched;
/// without commit() the new file goes when this object does.
class ReplacingFile {
  public:
    /// A symbolic link is followed. Throws Error (failed): a directory, a device, a folder that is missing
    /// or may not be written.
    explicit ReplacingFile(const std::filesystem::path& path);
    ~ReplacingFile();
    ReplacingFile(const ReplacingFile&) = delete;
    ReplacingFile& operator=(const ReplacingFile&) = delete;

    /// Appends. Throws Error (failed): the disk is full, the file grew beyond a limit.
    void write(std::span<const std::byte> bytes);

    /// Syncs the file, renames it to `path`, syncs the folder. Throws Error (failed).
    void commit();

  private:
    [[noreturn]] void fail(const char* what) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int descriptor_ = -1;
    std::uint64_t written_ = 0;
};

}  // namespace vgg19::model
