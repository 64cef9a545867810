// WebPs whose chunks are mutated while their lengths stay right.
#include <algorithm>
#include <array>

#include "engine/image/bytes.h"
#include "tests/fuzz/pictures.h"

namespace {

using vgg19::fuzzing::Piece;

constexpr std::size_t riff_bytes = 12;  // "RIFF", a length, "WEBP"

/// The chunks as they are, headers included; a chunk that passes the end is cut.
std::vector<Piece> chunks_of(vgg19::Bytes file) {
    std::vector<Piece> chunks;
    for (std::size_t offset = riff_bytes; offset + 8 <= file.size();) {
        const std::size_t length = vgg19::little_endian(file, offset + 4, 4);
        const std::size_t size = std::min(file.size() - offset, 8 + length + length % 2);
        const auto begin = file.begin() + static_cast<std::ptrdiff_t>(offset);
        chunks.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
        offset += size;
    }
    return chunks;
}

void set_length(std::uint8_t* field, std::size_t length) {
    for (std::size_t i = 0; i < 4; ++i, length >>= 8U) field[i] = static_cast<std::uint8_t>(length);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the names are the fuzzer's
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<Piece> chunks = chunks_of({data, size});
    if (size < riff_bytes || chunks.empty() || vgg19::fuzzing::below(random, 5) == 0) {
        return LLVMFuzzerMutate(data, size, most);
    }
    vgg19::fuzzing::mutate_pieces(chunks, random, most - size);
    for (Piece& chunk : chunks) {
        chunk.resize(std::max<std::size_t>((chunk.size() + 1) / 2 * 2, 8));
        set_length(chunk.data() + 4, chunk.size() - 8);
    }
    chunks.insert(chunks.begin(), Piece(data, data + riff_bytes));
    const std::size_t written = vgg19::fuzzing::write_pieces(chunks, data, most);
    set_length(data + 4, written - 8);
    return written;
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vgg19::fuzzing::decode_picture({data, size});
    return 0;
}
