#include "engine/dense_copies.h"

#include <algorithm>
#include <cstring>

#include "kernels/common/parallel.h"

namespace vgg19 {

namespace {

kernels::AlignedBuffer copied(const model::MappedFile& file, std::span<const std::byte> part, int threads) {
    constexpr std::size_t piece = std::size_t{4} << 20U;
    kernels::AlignedBuffer buffer(part.size());
    const std::size_t pieces = (part.size() + piece - 1) / piece;
    kernels::parallel_workers(threads, pieces, [&](std::size_t /*worker*/, std::size_t index) {
        const std::size_t begin = index * piece;
        const std::span<const std::byte> source = part.subspan(begin, std::min(piece, part.size() - begin));
        std::memcpy(buffer.data() + begin, source.data(), source.size());
        file.release(source);
    });
    return buffer;
}

}  // namespace

DenseCopies::Copy DenseCopies::copy(const model::MappedFile& file, std::span<const std::byte> part,
                                    int threads) {
    if (part.size() < kernels::large_page_bytes || !kernels::large_pages_available()) return nullptr;
    const std::lock_guard lock(mutex_);
    std::weak_ptr<const kernels::AlignedBuffer>& known = copies_[part.data()];
    if (Copy shared = known.lock()) return shared;
    Copy made = std::make_shared<const kernels::AlignedBuffer>(copied(file, part, threads));
    known = made;
    return made;
}

}  // namespace vgg19
