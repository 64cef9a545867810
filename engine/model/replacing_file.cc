#include "engine/model/replacing_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "engine/model/replaced_file.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

[[noreturn]] void fail_at(const std::filesystem::path& path, const std::string& problem) {
    throw Error(ErrorKind::failed, path.string() + ": " + problem);
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

/// By this name a file that has none can be linked.
std::string name_of_descriptor(int descriptor) {
    return "/proc/self/fd/" + std::to_string(descriptor);
}

}  // namespace

ReplacingFile::ReplacingFile(const std::filesystem::path& path) : path_(link_target(path)) {
    check_destination(path_);
    delete_abandoned(folder_of(path_));
    open_without_name();
    if (!descriptor_.is_open()) open_with_name();
    keep_attributes(path_, descriptor_.number());
}

ReplacingFile::~ReplacingFile() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

/// Not all file systems have such files, and without /proc they cannot be given a name.
void ReplacingFile::open_without_name() {
#ifdef O_TMPFILE
    Descriptor opened(open(folder_of(path_).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666));
    if (!opened.is_open() || access(name_of_descriptor(opened.number()).c_str(), F_OK) != 0) return;
    descriptor_ = std::move(opened);
    lock();
#endif
}

void ReplacingFile::open_with_name() {
    temporary_ = temporary_name(folder_of(path_));
    descriptor_ = Descriptor(open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!descriptor_.is_open()) {
        const int number = errno;
        temporary_.clear();
        errno = number;
        fail("cannot be written: no file can be made in its folder");
    }
    lock();
}

/// So that delete_abandoned() of another process leaves it, as long as it has a temporary name.
void ReplacingFile::lock() const {
    flock(descriptor_.number(), LOCK_EX | LOCK_NB);
}

void ReplacingFile::fail(const char* what) const {
    const int number = errno;
    fail_at(path_, std::string(what) + ": " + std::generic_category().message(number));
}

void ReplacingFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor_.number(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(("cannot be written after byte " + std::to_string(written_)).c_str());
        written_ += static_cast<std::uint64_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

bool ReplacingFile::link_to(const std::filesystem::path& name) const {
    const std::string file = name_of_descriptor(descriptor_.number());
    if (linkat(AT_FDCWD, file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
    if (errno != EEXIST) fail("cannot be given its name");
    return false;
}

void ReplacingFile::rename_to_path() {
    while (temporary_.empty()) {
        const std::filesystem::path name = temporary_name(folder_of(path_));
        if (link_to(name)) temporary_ = name;
    }
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be given its name");
    temporary_.clear();
}

void ReplacingFile::commit() {
    if (fsync(descriptor_.number()) != 0) fail("cannot be synced to the disk");
    // A file that replaces none needs no other name in between.
    if (!temporary_.empty() || !link_to(path_)) rename_to_path();
    descriptor_ = Descriptor();
    // The file has been replaced already, so that a file system that cannot sync a folder is no failure.
    const Descriptor folder(open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.is_open()) fsync(folder.number());
}

}  // namespace vgg19::model
