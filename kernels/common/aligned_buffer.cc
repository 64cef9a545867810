#include "kernels/common/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include "kernels/common/callers_function.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t large_page = std::size_t{2} << 20U;

std::size_t round_up(std::size_t bytes, std::size_t multiple) {
    if (bytes > std::numeric_limits<std::size_t>::max() - multiple) throw std::bad_alloc();
    return (bytes + multiple - 1) / multiple * multiple;
}

bool is_mapped(std::size_t bytes) {
    return bytes >= large_page;
}

/// Memory comes straight from the operating system, which zeroes a page at its first write. So the threads
/// that pack weights into the buffer also zero it, on all cores at once.
std::byte* map_large_pages(std::size_t bytes) {
    const std::size_t size = round_up(bytes, large_page);
    void* mapped = mmap(nullptr, round_up(size, large_page) + large_page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    auto* const begin = static_cast<std::byte*>(mapped);
    const std::size_t head = (large_page - reinterpret_cast<std::uintptr_t>(begin) % large_page) % large_page;
    std::byte* const data = begin + head;
    if (head > 0) munmap(begin, head);
    if (head < large_page) munmap(data + size, large_page - head);
    // Ask for large pages only as far as the buffer fills them; its end uses small pages, otherwise 4.2 MB of
    // weights would take 6 MB. This is only advice: if large pages are switched off, all pages are small.
    static_cast<void>(madvise(data, bytes / large_page * large_page, MADV_HUGEPAGE));
    return data;
}

std::byte* allocate_from(std::pmr::memory_resource& workspace, std::size_t bytes) {
    const std::size_t rounded = round_up(bytes, cache_line);
    void* const data = call_callers([&] { return workspace.allocate(rounded, cache_line); });
    if (data == nullptr) throw std::bad_alloc();
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(data) % cache_line;
    if (offset == 0) return static_cast<std::byte*>(data);
    workspace.deallocate(data, rounded, cache_line);
    throw std::runtime_error("workspace: expected memory aligned to " + std::to_string(cache_line) +
                             " bytes, found an address " + std::to_string(offset) + " bytes behind that");
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t bytes) : AlignedBuffer(bytes, nullptr) {}

AlignedBuffer::AlignedBuffer(std::size_t bytes, std::pmr::memory_resource* workspace)
    : data_(nullptr, Free{bytes, workspace}), size_(bytes) {
    if (bytes == 0) return;
    if (workspace != nullptr) {
        data_.reset(allocate_from(*workspace, bytes));
        std::memset(data_.get(), 0, bytes);
        return;
    }
    if (is_mapped(bytes)) {
        data_.reset(map_large_pages(bytes));
        return;
    }
    const std::size_t rounded = round_up(bytes, cache_line);
    void* data = nullptr;
    if (posix_memalign(&data, cache_line, rounded) != 0) throw std::bad_alloc();
    std::memset(data, 0, rounded);
    data_.reset(static_cast<std::byte*>(data));
}

void AlignedBuffer::Free::operator()(std::byte* data) const {
    if (workspace != nullptr) {
        workspace->deallocate(data, round_up(bytes, cache_line), cache_line);
    } else if (is_mapped(bytes)) {
        munmap(data, round_up(bytes, large_page));
    } else {
        std::free(data);
    }
}

}  // namespace vgg19::kernels
