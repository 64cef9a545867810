// What the fuzzers of picture formats have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's own mutations
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace vgg19::fuzzing {

using Piece = std::vector<std::uint8_t>;

/// Decodes a file and ends the program unless it gives either an Error about the input or a picture of the
/// size and within the memory that image_cost() tells. One file in 32 may have very many pixels, though
/// little work.
void decode_picture(std::span<const std::uint8_t> file);

/// libFuzzer's mutation of one piece, which may grow by `room` bytes.
void mutate_piece(Piece& piece, std::size_t room);

/// One random change of a file that consists of pieces, each of which has a header with its length, which the
/// caller writes anew: a piece is mutated, repeated, left out, moved, or exchanged with another.
void mutate_pieces(std::vector<Piece>& pieces, std::minstd_rand& random, std::size_t room);

/// A number below `end`.
inline std::size_t below(std::minstd_rand& random, std::size_t end) {
    return end == 0 ? 0 : random() % end;
}

/// Writes the pieces that fit into `most` bytes, one after the other, to `data`; returns their size.
std::size_t write_pieces(const std::vector<Piece>& pieces, std::uint8_t* data, std::size_t most);

}  // namespace vgg19::fuzzing
