// What a file that replaces another keeps of it, and what writers that were killed have left.
#pragma once

#include <filesystem>

namespace vgg19::model {

/// Follows symbolic links, also to a file that does not exist. Throws Error (failed) if they lead in a
/// circle.
std::filesystem::path link_target(const std::filesystem::path& path);

/// Gives the file behind `descriptor` the owner, extended attributes and mode of `path`, if there is such a
/// file, as far as the process may. Nobody gets rights that they did not have.
void keep_attributes(const std::filesystem::path& path, int descriptor);

/// A name for a file that is being written, short for every destination, so that a long file name is not a
/// problem: ".vgg19-PROCESS-NUMBER.tmp".
std::filesystem::path temporary_name(const std::filesystem::path& folder);

/// Deletes files with such names whose writer is gone: those that nobody has locked (flock) and nobody has
/// written to in the last minute.
void delete_abandoned(const std::filesystem::path& folder) noexcept;

}  // namespace vgg19::model
