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

std::uintptr_t page_bytes() {
    return static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
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
    map(descriptor.value, 0, 0);
}

MappedFile MappedFile::of_descriptor(int descriptor, std::uint64_t offset, std::uint64_t length) {
    MappedFile file;
    file.path_ = "descriptor " + std::to_string(descriptor);
    file.map(descriptor, offset, length);
    return file;
}

MappedFile MappedFile::of_memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
    MappedFile file;
    file.path_ = "model in memory";
    file.bytes_ = bytes;
    file.owner_ = std::move(owner);
    return file;
}

void MappedFile::map(int descriptor, std::uint64_t offset, std::uint64_t length) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0) fail_with_errno(path_, "cannot be examined");
    if (S_ISDIR(status.st_mode)) fail(path_, "expected a file, found a directory; name a file in it");
    if (!S_ISREG(status.st_mode)) fail(path_, "expected a regular file, found a device, pipe or socket");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (offset > size || length > size - offset) {
        fail(path_, "expected a file of at least " + std::to_string(offset) + " + " + std::to_string(length) +
                        " bytes, found " + std::to_string(size));
    }
    if (length == 0) length = size - offset;
    if (length == 0) return;  // mmap rejects empty mappings
    const std::uint64_t before = offset % page_bytes();
    const std::size_t mapped = before + length;
    void* address =
        mmap(nullptr, mapped, PROT_READ, MAP_SHARED, descriptor, static_cast<off_t>(offset - before));
    if (address == MAP_FAILED) fail_with_errno(path_, "cannot be mapped");
    mapping_ = {static_cast<const std::byte*>(address), mapped};
    bytes_ = mapping_.subspan(before);
}

MappedFile::~MappedFile() {
    if (!mapping_.empty()) munmap(const_cast<std::byte*>(mapping_.data()), mapping_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      bytes_(std::exchange(other.bytes_, {})),
      mapping_(std::exchange(other.mapping_, {})),
      owner_(std::move(other.owner_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapping_, other.mapping_);
    std::swap(owner_, other.owner_);
    return *this;
}

void MappedFile::release(std::span<const std::byte> part) const {
    const auto page = page_bytes();
    const auto start = reinterpret_cast<std::uintptr_t>(part.data());
    const auto mapped = reinterpret_cast<std::uintptr_t>(mapping_.data());
    if (start < mapped || start + part.size() > mapped + mapping_.size()) return;
    const std::uintptr_t first =
        (start + page - 1) / page * page;  // keeps pages that are only partly covered
    const std::uintptr_t end = (start + part.size()) / page * page;
    if (first >= end) return;
    auto* pages = const_cast<std::byte*>(part.data()) + (first - start);
    madvise(pages, end - first, MADV_DONTNEED);  // only advice: a failure does not matter
}

}  // namespace vgg19::model
