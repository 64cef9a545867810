// A folder that one process at a time works in.
#pragma once

#include <filesystem>

#include "engine/model/file_state.h"

namespace vgg19::tools {

/// Locks a folder as long as it exists, however the process ends; child processes do not hold the lock.
/// Throws Error (usage) if another process has it. Does nothing where the file system cannot lock folders.
class FolderLock {
  public:
    explicit FolderLock(const std::filesystem::path& folder);

  private:
    model::Descriptor descriptor_;
};

}  // namespace vgg19::tools
