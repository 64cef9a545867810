#include "engine/model/replaced_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "engine/model/file_state.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr std::string_view prefix = ".vgg19-";
constexpr std::string_view suffix = ".tmp";

void copy_extended_attributes(const char* path, int descriptor) {
    const ssize_t length = listxattr(path, nullptr, 0);
    if (length <= 0) return;
    std::vector<char> names(static_cast<std::size_t>(length));
    const ssize_t found = listxattr(path, names.data(), names.size());
    for (ssize_t begin = 0; begin < found;) {
        const char* const name = names.data() + begin;
        begin += static_cast<ssize_t>(std::string_view(name).size()) + 1;
        const ssize_t size = getxattr(path, name, nullptr, 0);
        if (size < 0) continue;
        std::vector<char> value(static_cast<std::size_t>(size));
        const ssize_t read = getxattr(path, name, value.data(), value.size());
        // Some belong to the system, and cannot be set.
        if (read < 0) continue;
        static_cast<void>(fsetxattr(descriptor, name, value.data(), static_cast<std::size_t>(read), 0));
    }
}

/// What others may do.
constexpr mode_t of_others(mode_t mode) {
    return mode & S_IRWXO;
}

/// Whether nobody is writing the file, and nobody was lately: a writer locks it just after it has made it.
bool is_abandoned(const std::filesystem::path& path) {
    constexpr std::time_t lately = 60;
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!file.is_open() || fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    return status.st_mtim.tv_sec + lately < std::time(nullptr) &&
           flock(file.number(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

std::filesystem::path link_target(const std::filesystem::path& path) {
    constexpr int most_links = 40;
    std::filesystem::path target = path;
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
        const std::filesystem::path next = std::filesystem::read_symlink(target, error);
        if (error) break;
        if (links == most_links) {
            throw Error(ErrorKind::failed, path.string() + ": cannot be written: its links lead in a circle");
        }
        target = next.is_absolute() ? next : target.parent_path() / next;
    }
    return target;
}

void keep_attributes(const std::filesystem::path& path, int descriptor) {
    struct stat old {};
    struct stat now {};
    if (stat(path.c_str(), &old) != 0 || fstat(descriptor, &now) != 0) return;
    mode_t mode = old.st_mode & 07777U;
    if (old.st_uid != now.st_uid && fchown(descriptor, old.st_uid, static_cast<gid_t>(-1)) != 0) {
        mode &= ~static_cast<mode_t>(S_ISUID);
    }
    if (old.st_gid != now.st_gid && fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) != 0) {
        // The group is another, which may do what all others may.
        mode = (mode & ~static_cast<mode_t>(S_IRWXG | S_ISGID)) | of_others(mode) << 3U;
    }
    copy_extended_attributes(path.c_str(), descriptor);
    static_cast<void>(fchmod(descriptor, mode));
}

std::filesystem::path temporary_name(const std::filesystem::path& folder) {
    std::random_device random;
    std::string name(prefix);
    name.append(std::to_string(getpid())).append("-").append(std::to_string(random())).append(suffix);
    return folder / name;
}

void delete_abandoned(const std::filesystem::path& folder) noexcept {
    try {
        std::error_code error;
        for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
             entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
            if (is_abandoned(entry->path())) unlink(entry->path().c_str());
        }
    } catch (...) {  // no memory: another time
    }
}

}  // namespace vgg19::model
