#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/layout/layout.h"
#include "kernels/relu/bits.h"
#include "kernels/simd/unrolled.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

constexpr std::size_t lanes = Vector::width;
using Square = std::array<Vector::Register, lanes>;

/// Some pixels of `lanes` channels, of which the last ones may not exist.
struct Piece {
    std::size_t channels;  ///< that exist, at most `lanes`
    std::size_t pixels;
    std::size_t blocked_index;  ///< of the first channel's first pixel
    std::size_t plain_index;    ///< likewise
};

/// Calls body(piece) for each register's width of channels of piece `index`; one that begins past the last
/// channel has no channels.
template <class Body>
inline __attribute__((always_inline)) void for_each_part(const LayoutShape& shape, std::size_t index,
                                                         const Body& body) {
    const std::size_t first_pixel = index % shape.pieces_of_map() * LayoutShape::piece_pixels;
    const std::size_t plane = index / shape.pieces_of_map();
    const std::size_t blocks = blocks_of(shape.channels, shape.block);
    const std::size_t left = shape.pixels - first_pixel;
    const std::size_t pixels = left < LayoutShape::piece_pixels ? left : LayoutShape::piece_pixels;
    for (std::size_t lane = 0; lane < shape.block; lane += lanes) {
        const std::size_t channel = plane % blocks * shape.block + lane;
        const std::size_t existing = channel < shape.channels ? shape.channels - channel : 0;
        body(Piece{.channels = existing < lanes ? existing : lanes,
                   .pixels = pixels,
                   .blocked_index = (plane * shape.pixels + first_pixel) * shape.block + lane,
                   .plain_index = (plane / blocks * shape.channels + channel) * shape.pixels + first_pixel});
    }
}

/// The first `count` pixels at `blocked`, as rows of channels.
inline __attribute__((always_inline)) Square channel_rows(const BlockedToPlain& problem, const float* blocked,
                                                          std::size_t count) {
    const auto scale = Vector::broadcast(problem.scale);
    Square square{};
    for (std::size_t pixel = 0; pixel < lanes; ++pixel) {
        square[pixel] = pixel < count
                            ? Vector::multiply(Vector::load(blocked + pixel * problem.shape.block), scale)
                            : Vector::zero();
    }
    Vector::transpose(square);
    return square;
}

void piece_to_plain(const BlockedToPlain& problem, const Piece& piece) {
    const std::size_t map = problem.shape.pixels;
    const std::size_t block = problem.shape.block;
    const float* from = problem.blocked + piece.blocked_index;
    float* to = problem.plain + piece.plain_index;
    const auto convert_first = [&](std::size_t pixel, std::size_t count) {
        const Square square = channel_rows(problem, from + pixel * block, count);
        for (std::size_t channel = 0; channel < piece.channels; ++channel) {
            Vector::store_first(to + channel * map + pixel, count, square[channel]);
        }
    };
    std::size_t pixel = 0;
    const std::size_t past_line = reinterpret_cast<std::uintptr_t>(to) / sizeof(float) % lanes;
    const bool past_caches = problem.past_caches && map % lanes == 0 && piece.channels == lanes &&
                             reinterpret_cast<std::uintptr_t>(to) % sizeof(float) == 0;
    if (past_caches && past_line != 0 && piece.pixels >= lanes) {
        pixel = lanes - past_line;
        convert_first(0, pixel);
    }
    for (; pixel + lanes <= piece.pixels; pixel += lanes) {
        const Square square = channel_rows(problem, from + pixel * block, lanes);
        if (past_caches) {
            unrolled<lanes>([&](auto channel) __attribute__((always_inline)) {
                Vector::store_past_caches(to + channel * map + pixel, square[channel]);
            });
        } else if (piece.channels == lanes) {
            unrolled<lanes>([&](auto channel) __attribute__((always_inline)) {
                Vector::store(to + channel * map + pixel, square[channel]);
            });
        } else {
            for (std::size_t channel = 0; channel < piece.channels; ++channel) {
                Vector::store(to + channel * map + pixel, square[channel]);
            }
        }
    }
    if (pixel < piece.pixels) convert_first(pixel, piece.pixels - pixel);
}

void to_plain(const BlockedToPlain& problem, std::size_t begin, std::size_t end) {
    for (std::size_t index = begin; index < end; ++index) {
        for_each_part(problem.shape, index, [&](const Piece& piece) { piece_to_plain(problem, piece); });
    }
    if (problem.past_caches) Vector::finish_stores();
}

/// Stores the first `count` pixels of `rows` of channels.
inline __attribute__((always_inline)) void store_pixels(const PlainToBlocked& problem, Square& rows,
                                                        std::size_t index, std::size_t count) {
    Vector::transpose(rows);
    for (std::size_t pixel = 0; pixel < count; ++pixel, index += problem.shape.block) {
        float* to = problem.blocked + index;
        Vector::Register value = rows[pixel];
        if (problem.adds) value = Vector::add(value, Vector::load(to));
        if (problem.positive != nullptr) {
            value = Vector::select_lanes(load_lane_bits<lanes>(problem.positive, index), value);
        }
        Vector::store(to, value);
    }
}

void piece_to_blocked(const PlainToBlocked& problem, const Piece& piece) {
    const std::size_t map = problem.shape.pixels;
    for (std::size_t pixel = 0; pixel < piece.pixels; pixel += lanes) {
        const float* from = problem.plain + piece.plain_index + pixel;
        const std::size_t count = lanes < piece.pixels - pixel ? lanes : piece.pixels - pixel;
        Square rows{};
        if (piece.channels == lanes && count == lanes) {
            unrolled<lanes>([&](auto channel) __attribute__((always_inline)) {
                rows[channel] = Vector::load(from + channel * map);
            });
        } else {
            for (std::size_t channel = 0; channel < piece.channels; ++channel) {
                rows[channel] = Vector::load_first(from + channel * map, count);
            }
            for (std::size_t channel = piece.channels; channel < lanes; ++channel) {
                rows[channel] = Vector::zero();
            }
        }
        store_pixels(problem, rows, piece.blocked_index + pixel * problem.shape.block, count);
    }
}

void to_blocked(const PlainToBlocked& problem, std::size_t begin, std::size_t end) {
    for (std::size_t index = begin; index < end; ++index) {
        for_each_part(problem.shape, index, [&](const Piece& piece) { piece_to_blocked(problem, piece); });
    }
}

}  // namespace

const LayoutKernels layout = {.to_plain = to_plain, .to_blocked = to_blocked};

}  // namespace vgg19::kernels::VGG19_ISA
