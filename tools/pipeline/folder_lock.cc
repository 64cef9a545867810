#include "tools/pipeline/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "vgg19/error.h"

namespace vgg19::tools {

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!descriptor_.is_open() || flock(descriptor_.number(), LOCK_EX | LOCK_NB) == 0) return;
    if (errno != EWOULDBLOCK) return;
    throw Error(ErrorKind::usage,
                folder.string() +
                    ": another vgg19 command works in this folder; wait for its end, or give "
                    "another --output");
}

}  // namespace vgg19::tools
