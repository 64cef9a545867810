// Finds the images below a folder.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "converter/data/left_out.h"

namespace vgg19::converter {

/// The files of a folder. Hidden files and folders do not count, nor do those that systems create (__MACOSX,
/// @eaDir, lost+found).
struct FolderContent {
    std::vector<std::filesystem::path> images;  ///< by path
    /// Files that are not images, and subfolders that cannot be read, in no particular order.
    std::vector<std::filesystem::path> others;
};

/// Only the files directly in the folder. Throws filesystem_error.
FolderContent files_in(const std::filesystem::path& folder);
/// The files in the folder and all its subfolders. Links to folders are followed; each folder counts once.
FolderContent files_below(const std::filesystem::path& folder);
/// The subfolders, sorted by name, including links to folders.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

}  // namespace vgg19::converter
