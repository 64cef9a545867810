#include "engine/model/file_state.h"

#include <unistd.h>

#include <string>

#include "vgg19/error.h"

namespace vgg19::model {

namespace {

/// What has become of the file; "" if nothing.
std::string change(int descriptor, const FileState& before) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0) return "it can no longer be examined";
    const FileState now(status);
    if (now.bytes != before.bytes) {
        return "it had " + std::to_string(before.bytes) + " bytes, and has " + std::to_string(now.bytes);
    }
    const bool same =
        now.written.tv_sec == before.written.tv_sec && now.written.tv_nsec == before.written.tv_nsec;
    return same ? "" : "another program has written to it";
}

}  // namespace

Descriptor::~Descriptor() {
    if (is_open()) close(number_);
}

void require_unchanged(int descriptor, const FileState& before, const std::filesystem::path& path) {
    const std::string problem = change(descriptor, before);
    if (problem.empty()) return;
    throw Error(ErrorKind::bad_input, path.string() +
                                          ": expected the file as it was when it was opened, but " + problem +
                                          "; replace such a file by renaming a new one, and open it again");
}

}  // namespace vgg19::model
