#include "converter/variants/cache_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/model/users_cache.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr const char* lock_name = "lock";

Error cannot(const std::string& what, const std::filesystem::path& path, const std::error_code& error) {
    return {ErrorKind::failed, path.string() + ": cannot " + what + ": " + error.message()};
}

}  // namespace

CacheFolder::CacheFolder(const std::string& name, const std::function<void(const std::string& line)>& say)
    : path_(model::users_cache() / name) {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) throw cannot("make the folder", path_, error);
    lock(say);
    remove_leftovers();
}

CacheFolder::~CacheFolder() {
    close(lock_);
}

void CacheFolder::lock(const std::function<void(const std::string& line)>& say) {
    const std::filesystem::path file = path_ / lock_name;
    lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock_ < 0) throw cannot("open", file, {errno, std::generic_category()});
    if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
    if (say) say("waiting for another process that works in " + path_.string());
    while (flock(lock_, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        const std::error_code error(errno, std::generic_category());
        close(lock_);
        throw cannot("lock", file, error);
    }
}

void CacheFolder::remove_leftovers() const {
    std::error_code ignored;  // a leftover that cannot be removed only takes space
    for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
        const std::filesystem::path& file = entry.path();
        if (file.extension() != ".safetensors" && file.filename() != lock_name) {
            std::filesystem::remove(file, ignored);
        }
    }
}

}  // namespace vgg19::converter
