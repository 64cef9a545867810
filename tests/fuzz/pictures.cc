#include "tests/fuzz/pictures.h"

#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19::fuzzing {
namespace {

thread_local bool is_counting = false;
thread_local std::ptrdiff_t live_bytes = 0;
thread_local std::ptrdiff_t peak_bytes = 0;

void on_allocation(const volatile void* /*block*/, std::size_t size) {
    if (!is_counting) return;
    live_bytes += static_cast<std::ptrdiff_t>(size);
    peak_bytes = std::max(peak_bytes, live_bytes);
}

void on_release(const volatile void* block) {
    if (!is_counting || block == nullptr) return;
    const auto size = __sanitizer_get_allocated_size(const_cast<const void*>(block));
    live_bytes -= static_cast<std::ptrdiff_t>(size);
}

/// The most memory that was allocated at once while `action` ran.
std::size_t peak_of(const std::function<void()>& action) {
    static const int installed = __sanitizer_install_malloc_and_free_hooks(on_allocation, on_release);
    if (installed == 0) std::abort();
    live_bytes = peak_bytes = 0;
    is_counting = true;
    try {
        action();
    } catch (...) {
        is_counting = false;
        throw;
    }
    is_counting = false;
    return static_cast<std::size_t>(peak_bytes);
}

ImageOptions options_for(std::size_t file_bytes) {
    ImageOptions options;
    options.full_size_pixels = 2000;  // larger ones are decoded at reduced size
    options.reduced_short_side = 16;
    if (file_bytes % 32 == 0) {
        options.limits = {.max_memory_bytes = std::size_t{8} << 20U, .max_work = 500'000};
    } else {
        options.limits = {.max_side = 1000, .max_pixels = 4000, .max_work = 100'000};
    }
    return options;
}

}  // namespace

void decode_picture(std::span<const std::uint8_t> file) {
    // Names, closures and the objects of the decoders, which do not depend on the picture.
    constexpr std::size_t always = std::size_t{96} << 10U;
    try {
        const ImageOptions options = options_for(file.size());
        const ImageCost cost = image_cost(file, "picture", options);
        Image image;
        const std::size_t peak = peak_of([&] { image = decode_image(file, "picture", options); });
        const bool size_is_right = image.width == cost.width && image.height == cost.height &&
                                   image.rgb.size() == image.width * image.height * 3;
        if (!size_is_right || peak > cost.memory_bytes + file.size() + always) {
            std::fprintf(stderr, "%zux%zu pixels in %zu bytes of memory, expected %zux%zu in %zu\n",
                         image.width, image.height, peak, cost.width, cost.height, cost.memory_bytes);
            std::abort();
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::bad_input) std::abort();
    }
}

void mutate_piece(Piece& piece, std::size_t room) {
    const std::size_t size = piece.size();
    piece.resize(size + room + 1);
    piece.resize(LLVMFuzzerMutate(piece.data(), size, piece.size()));
}

void mutate_pieces(std::vector<Piece>& pieces, std::minstd_rand& random, std::size_t room) {
    if (pieces.empty()) return;
    const auto any = [&] {
        return pieces.begin() + static_cast<std::ptrdiff_t>(below(random, pieces.size()));
    };
    switch (below(random, 8)) {
        case 0: {
            const Piece copy = *any();
            if (copy.size() <= room) pieces.insert(any(), copy);
            break;
        }
        case 1:
            if (pieces.size() > 1) pieces.erase(any());
            break;
        case 2:
            std::iter_swap(any(), any());
            break;
        default:
            mutate_piece(*any(), std::min<std::size_t>(room, 64));
    }
}

std::size_t write_pieces(const std::vector<Piece>& pieces, std::uint8_t* data, std::size_t most) {
    std::size_t size = 0;
    for (const Piece& piece : pieces) {
        if (piece.size() > most - size) break;
        std::copy(piece.begin(), piece.end(), data + size);
        size += piece.size();
    }
    return size;
}

}  // namespace vgg19::fuzzing
