#include "engine/model/replacing_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <string>
#include <system_error>

#include "vgg19/error.h"

namespace vgg19::model {

namespace {

[[noreturn]] void fail_at(const std::filesystem::path& path, const std::string& problem) {
    throw Error(ErrorKind::failed, path.string() + ": " + problem);
}

/// The target of a symbolic link: renaming onto the link itself would replace the link.
std::filesystem::path link_target(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::path target = std::filesystem::canonical(path, error);
    return error ? path : target;
}

/// Check early: a rename would replace a device by a file, and would fail on a directory only after all the
/// work.
void check_destination(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status)) {
        fail_at(path, "cannot be written: expected a file, found a directory");
    }
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        fail_at(path, "cannot be written: expected a regular file, found a device, pipe or socket");
    }
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    const std::filesystem::path folder = path.parent_path();
    return folder.empty() ? "." : folder;
}

/// Short for every destination, so that a long file name is not a problem.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
    std::random_device random;
    return folder_of(path) / (".vgg19-" + std::to_string(getpid()) + '-' + std::to_string(random()) + ".tmp");
}

}  // namespace

ReplacingFile::ReplacingFile(const std::filesystem::path& path) : path_(link_target(path)) {
    check_destination(path_);
    temporary_ = temporary_name(path_);
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("cannot be written: no file can be made in its folder");
}

ReplacingFile::~ReplacingFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void ReplacingFile::fail(const char* what) const {
    const int number = errno;
    fail_at(path_, std::string(what) + ": " + std::generic_category().message(number));
}

void ReplacingFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(("cannot be written after byte " + std::to_string(written_)).c_str());
        written_ += static_cast<std::uint64_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

void ReplacingFile::commit() {
    if (fsync(descriptor_) != 0) fail("cannot be synced to the disk");
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail("cannot be closed");
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be given its name");
    temporary_.clear();
    // The file has been replaced already, so that a file system that cannot sync a folder is no failure.
    const int folder = open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    fsync(folder);
    close(folder);
}

}  // namespace vgg19::model
