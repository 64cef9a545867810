// The images below a folder.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "converter/data/left_out.h"

namespace vgg19::converter {

/// What lies below a folder. Hidden files and folders do not count, nor do those that systems leave there
/// (__MACOSX, @eaDir, lost+found).
struct FolderContent {
    std::vector<std::filesystem::path> images;  ///< by path
    std::vector<std::filesystem::path> others;  ///< files that are no images, in no order
};

/// Of the folder itself. Throws filesystem_error.
FolderContent files_in(const std::filesystem::path& folder);
/// Of the folder and all those in it, links to folders followed; a folder that is reached again counts once.
FolderContent files_below(const std::filesystem::path& folder);
/// Folders in a folder, by name, links to folders too.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

}  // namespace vgg19::converter
