#include "kernels/common/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace vgg19::kernels {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t large_page = std::size_t{2} << 20U;

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
    if (bytes == 0) return;
    if (bytes > std::numeric_limits<std::size_t>::max() - cache_line) throw std::bad_alloc();
    const std::size_t alignment = bytes >= large_page ? large_page : cache_line;
    const std::size_t rounded = (bytes + cache_line - 1) / cache_line * cache_line;
    void* data = nullptr;
    if (posix_memalign(&data, alignment, rounded) != 0) throw std::bad_alloc();
    // Advice only: where large pages are off, small ones serve.
    if (alignment == large_page) {
        static_cast<void>(madvise(data, rounded / large_page * large_page, MADV_HUGEPAGE));
    }
    std::memset(data, 0, rounded);
    data_.reset(static_cast<std::byte*>(data));
}

void AlignedBuffer::Free::operator()(std::byte* data) const {
    std::free(data);
}

}  // namespace vgg19::kernels
