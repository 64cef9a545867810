#include "engine/model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/model/file_pages.h"
#include "engine/model/mapping_faults.h"
#include "engine/model/packed_file.h"
#include "engine/shortage.h"
#include "vgg19/error.h"

namespace vgg19::model {

/// Pages of a file, from its beginning on.
struct Mapping {
    Mapping(Descriptor opened, const FileState& opened_state, const std::filesystem::path& path)
        : descriptor(std::move(opened)), state(opened_state) {
        const auto length = static_cast<std::size_t>(state.bytes);
        void* address = mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor.number(), 0);
        if (address == MAP_FAILED) {
            fail_reading(path.string() + ": cannot be mapped", errno);
        }
        bytes = {static_cast<const std::byte*>(address), length};
        watch_mapping(bytes);
    }
    ~Mapping() {
        forget_mapping(bytes);
        munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    Descriptor descriptor;
    FileState state;
    std::span<const std::byte> bytes;
};

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& problem) {
    throw Error(ErrorKind::bad_input, path.string() + ": " + problem);
}

[[noreturn]] void fail_with_errno(const std::filesystem::path& path, const std::string& problem) {
    fail_reading(path.string() + ": " + problem, errno);
}

Descriptor open_file(const std::filesystem::path& path) {
    // Without O_NONBLOCK, opening a pipe without a writer would hang before it can be rejected.
    Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!opened.is_open()) fail_with_errno(path, "cannot be opened");
    return opened;
}

FileState state_of_regular_file(const Descriptor& opened, const std::filesystem::path& path) {
    struct stat status {};
    if (fstat(opened.number(), &status) != 0) fail_with_errno(path, "cannot be examined");
    if (S_ISDIR(status.st_mode)) fail(path, "expected a file, found a directory; name a file in it");
    if (!S_ISREG(status.st_mode)) fail(path, "expected a regular file, found a device, pipe or socket");
    return FileState(status);
}

/// Whole pages of `part`, so that those that are only partly covered are kept.
void drop_mapped(std::span<const std::byte> part) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto start = reinterpret_cast<std::uintptr_t>(part.data());
    const std::uintptr_t first = (start + page - 1) / page * page;
    const std::uintptr_t end = (start + part.size()) / page * page;
    if (first >= end) return;
    auto* pages = const_cast<std::byte*>(part.data()) + (first - start);
    madvise(pages, end - first, MADV_DONTNEED);  // only advice: a failure does not matter
}

std::size_t most_threads() {
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)), read_freely_(true) {
    Descriptor opened = open_file(path_);
    const FileState state = state_of_regular_file(opened, path_);
    if (state.bytes > largest_read) {
        mapping_ = std::make_shared<const Mapping>(std::move(opened), state, path_);
        bytes_ = mapping_->bytes;
        return;
    }
    prepare_pages(std::move(opened), 0, 0);
    all_ = use(bytes_);
}

MappedFile MappedFile::map_when_used(std::filesystem::path path) {
    MappedFile file(std::move(path));
    file.read_freely_ = false;
    return file;
}

MappedFile MappedFile::read_when_used(std::filesystem::path path) {
    MappedFile file;
    file.path_ = std::move(path);
    file.prepare_pages(open_file(file.path_), 0, 0);
    return file;
}

MappedFile MappedFile::of_descriptor(int descriptor, std::uint64_t offset, std::uint64_t length) {
    MappedFile file;
    file.path_ = "descriptor " + std::to_string(descriptor);
    Descriptor own(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!own.is_open()) fail_with_errno(file.path_, "cannot be examined");
    if ((fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        fail(file.path_, "expected a descriptor that is open for reading, found one for writing alone");
    }
    file.prepare_pages(std::move(own), offset, length);
    return file;
}

MappedFile MappedFile::of_memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
    MappedFile file;
    file.path_ = "model in memory";
    file.bytes_ = bytes;
    file.owner_ = std::move(owner);
    return file;
}

MappedFile MappedFile::unpacked(MappedFile packed) {
    MappedFile file;
    file.path_ = packed.path_;
    file.packed_ = std::make_shared<const MappedFile>(std::move(packed));
    std::unique_ptr<const PageSource> source = unpacking(file.packed_);
    const bool read_whole = source->is_read_whole();
    file.pages_ = std::make_shared<FilePages>(std::move(source));
    file.bytes_ = file.pages_->bytes();
    if (read_whole) file.use_all();
    return file;
}

void MappedFile::use_all() {
    const std::size_t parts =
        std::clamp<std::size_t>(bytes_.size() / (4 * Packer::frame_bytes), 1, most_threads());
    const auto part = [&](std::size_t index) {
        const std::size_t begin = bytes_.size() * index / parts;
        return bytes_.subspan(begin, bytes_.size() * (index + 1) / parts - begin);
    };
    std::vector<std::future<Use>> others;
    for (std::size_t i = 1; i < parts; ++i) {
        others.push_back(
            std::async(std::launch::async | std::launch::deferred, [&, i] { return use(part(i)); }));
    }
    const Use first = use(part(0));
    std::vector<Use> used;
    for (std::future<Use>& other : others) used.push_back(other.get());
    all_ = use(bytes_);
    read_freely_ = true;
}

void MappedFile::prepare_pages(Descriptor opened, std::uint64_t offset, std::uint64_t length) {
    const FileState state = state_of_regular_file(opened, path_);
    if (offset > state.bytes || length > state.bytes - offset) {
        fail(path_, "expected a file of at least " + std::to_string(offset) + " + " + std::to_string(length) +
                        " bytes, found " + std::to_string(state.bytes));
    }
    if (length == 0) length = state.bytes - offset;
    pages_ = std::make_shared<FilePages>(
        std::make_unique<const FileSource>(std::move(opened), state, offset, length, path_));
    bytes_ = pages_->bytes();
}

MappedFile::Use MappedFile::use(std::span<const std::byte> part) const {
    Use use;
    if (part.data() < bytes_.data() || part.data() + part.size() > bytes_.data() + bytes_.size()) return use;
    if (pages_) pages_->acquire(part);
    use.pages_ = pages_;
    use.mapping_ = mapping_;
    use.part_ = part;
    return use;
}

MappedFile::Use::Use(Use&& other) noexcept
    : pages_(std::move(other.pages_)), mapping_(std::move(other.mapping_)), part_(other.part_) {}

MappedFile::Use& MappedFile::Use::operator=(Use&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(mapping_, other.mapping_);
    std::swap(part_, other.part_);
    return *this;
}

MappedFile::Use::~Use() {
    if (pages_) pages_->release(part_);
    if (mapping_) drop_mapped(part_);
}

bool MappedFile::is_mapped(std::span<const std::byte> part) const {
    if (!mapping_) return false;
    const std::span<const std::byte> all = mapping_->bytes;
    return part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size();
}

void MappedFile::release(std::span<const std::byte> part) const {
    if (is_mapped(part)) drop_mapped(part);
}

void MappedFile::require_unchanged() const {
    if (packed_) packed_->require_unchanged();
    if (!mapping_) return;
    model::require_unchanged(mapping_->descriptor.number(), mapping_->state, path_);
    if (!has_faults(mapping_->bytes)) return;
    fail(path_, "cannot be read: the system has no page of it where it had one when the file was opened");
}

}  // namespace vgg19::model
