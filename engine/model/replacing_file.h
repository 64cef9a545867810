// Writes a file atomically: either all of it or nothing appears.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/file_state.h"

namespace vgg19::model {

/// A new file in the folder of `path`: one without a name where the system has such, so that nothing is left
/// of it however the process ends; else one that a later ReplacingFile in this folder deletes. `path` does
/// not change before commit(). An old file's mode, owner and extended attributes go over to the new one, as
/// far as the process may set them; its other hard links stay the old file's.
class ReplacingFile {
  public:
    /// Follows symbolic links, also those that lead to no file yet. Throws Error (failed) for a directory, a
    /// device, and a folder that is missing or not writable.
    explicit ReplacingFile(const std::filesystem::path& path);
    ~ReplacingFile();
    ReplacingFile(const ReplacingFile&) = delete;
    ReplacingFile& operator=(const ReplacingFile&) = delete;

    /// For a child process that is to write it.
    int descriptor() const { return descriptor_.number(); }

    /// Appends. Throws Error (failed), for example if the disk is full or the file exceeds a limit.
    void write(std::span<const std::byte> bytes);

    /// Syncs the file, gives it the name `path` and syncs the folder. Throws Error (failed).
    void commit();

  private:
    void open_without_name();
    void open_with_name();
    void lock() const;
    /// False if there is a file already.
    bool link_to(const std::filesystem::path& name) const;
    void rename_to_path();
    [[noreturn]] void fail(const char* what) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;  ///< empty while the file has no name
    Descriptor descriptor_;
    std::uint64_t written_ = 0;
};

}  // namespace vgg19::model
