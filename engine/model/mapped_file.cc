#include "engine/model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "vgg19/error.h"

namespace vgg19::model {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& problem) {
    throw Error(ErrorKind::bad_input, path.string() + ": " + problem);
}

[[noreturn]] void fail_with_errno(const std::filesystem::path& path, const std::string& problem) {
    fail(path, problem + ": " + std::generic_category().message(errno));
}

struct Descriptor {
    explicit Descriptor(int number) : value(number) {}
    ~Descriptor() { close(value); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int value;
};

}  // namespace

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
    // Without O_NONBLOCK, opening a pipe without a writer would hang before it can be rejected.
    const int opened = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) fail_with_errno(path_, "cannot be opened");
    const Descriptor descriptor(opened);
    struct stat status {};
    if (fstat(descriptor.value, &status) != 0) fail_with_errno(path_, "cannot be examined");
    if (S_ISDIR(status.st_mode)) fail(path_, "expected a file, found a directory; name a file in it");
    if (!S_ISREG(status.st_mode)) fail(path_, "expected a regular file, found a device, pipe or socket");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;  // mmap rejects empty mappings
    void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.value, 0);
    if (address == MAP_FAILED) fail_with_errno(path_, "cannot be mapped");
    bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

void MappedFile::release(std::span<const std::byte> part) const {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto start = reinterpret_cast<std::uintptr_t>(part.data());
    const auto mapped = reinterpret_cast<std::uintptr_t>(bytes_.data());
    if (start < mapped || start + part.size() > mapped + bytes_.size()) return;
    const std::uintptr_t first =
        (start + page - 1) / page * page;  // keeps pages that are only partly covered
    const std::uintptr_t end = (start + part.size()) / page * page;
    if (first >= end) return;
    auto* pages = const_cast<std::byte*>(part.data()) + (first - start);
    madvise(pages, end - first, MADV_DONTNEED);  // only advice: a failure does not matter
}

}  // namespace vgg19::model
