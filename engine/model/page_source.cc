#include "engine/model/page_source.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "engine/shortage.h"
#include "vgg19/error.h"

namespace vgg19::model {

void FileSource::read(Range range, std::byte* to) const {
    for (std::size_t at = range.begin; at < range.end;) {
        const ssize_t count =
            pread(file_.number(), to + (at - range.begin), range.end - at, static_cast<off_t>(offset_ + at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const int error = errno;
            fail_reading(path_.string() + ": cannot be read at byte " + std::to_string(offset_ + at), error);
        }
        if (count == 0) {
            require_unchanged();
            throw Error(ErrorKind::bad_input, path_.string() + ": expected bytes after byte " +
                                                  std::to_string(offset_ + at) + ", found the end");
        }
        at += static_cast<std::size_t>(count);
    }
}

void FileSource::require_unchanged() const {
    model::require_unchanged(file_.number(), state_, path_);
}

}  // namespace vgg19::model
