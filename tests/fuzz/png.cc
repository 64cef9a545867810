// PNGs whose chunks are mutated while their checksums stay right, and whose data are unpacked, mutated and
// packed again.
#include <zlib.h>

#include <algorithm>
#include <array>

#include "engine/image/bytes.h"
#include "tests/fuzz/pictures.h"

namespace {

using vgg19::fuzzing::below;
using vgg19::fuzzing::Piece;

constexpr std::size_t signature_bytes = 8;
constexpr std::size_t frame_bytes = 12;  // length and type, a checksum behind

/// A chunk's type and data.
std::vector<Piece> chunks_of(vgg19::Bytes file) {
    std::vector<Piece> chunks;
    for (std::size_t offset = signature_bytes; offset + frame_bytes <= file.size();) {
        const std::size_t left = file.size() - offset - frame_bytes;
        const std::size_t length = std::min<std::size_t>(vgg19::big_endian(file, offset, 4), left);
        const auto type = file.begin() + static_cast<std::ptrdiff_t>(offset) + 4;
        chunks.emplace_back(type, type + 4 + static_cast<std::ptrdiff_t>(length));
        offset += frame_bytes + length;
    }
    return chunks;
}

bool has_type(const Piece& chunk, const char* type) {
    return chunk.size() >= 4 && std::equal(type, type + 4, chunk.begin());
}

/// Bits, colour type and interlacing that the standard has, and a size that is mostly small.
void mutate_header(Piece& chunk, std::minstd_rand& random) {
    constexpr std::array<std::uint8_t, 5> bits = {1, 2, 4, 8, 16};
    constexpr std::array<std::uint8_t, 5> colours = {0, 2, 3, 4, 6};
    if (chunk.size() < 17) return;
    const std::size_t side = 4 + 4 * below(random, 2);
    chunk[side + 2] = below(random, 8) == 0 ? std::uint8_t{0x40} : std::uint8_t{0};
    chunk[side + 3] = static_cast<std::uint8_t>(1 + below(random, 100));
    chunk[12] = bits[below(random, bits.size())];
    chunk[13] = colours[below(random, colours.size())];
    chunk[16] = static_cast<std::uint8_t>(below(random, 2));
}

void mutate_data(Piece& chunk, std::minstd_rand& random) {
    constexpr std::size_t most_unpacked = 20'000;
    Piece unpacked(most_unpacked);
    uLongf size = unpacked.size();
    // Damaged data are unpacked as far as they go.
    uncompress(unpacked.data(), &size, chunk.data() + 4, static_cast<uLong>(chunk.size() - 4));
    unpacked.resize(size);
    vgg19::fuzzing::mutate_piece(unpacked, below(random, 4) == 0 ? 4000 : 64);
    uLongf packed_size = compressBound(static_cast<uLong>(unpacked.size()));
    Piece packed(packed_size);
    compress2(packed.data(), &packed_size, unpacked.data(), static_cast<uLong>(unpacked.size()),
              static_cast<int>(below(random, 10)));
    chunk.resize(4);
    chunk.insert(chunk.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(packed_size));
}

Piece number(std::size_t value) {
    return {static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
            static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
}

std::vector<Piece> with_frames(const std::vector<Piece>& chunks) {
    std::vector<Piece> framed;
    for (const Piece& chunk : chunks) {
        if (chunk.size() < 4) continue;
        framed.push_back(number(chunk.size() - 4));
        framed.push_back(chunk);
        framed.push_back(number(crc32(0, chunk.data(), static_cast<uInt>(chunk.size()))));
    }
    return framed;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the names are the fuzzer's
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<Piece> chunks = chunks_of({data, size});
    const std::size_t choice = below(random, 10);
    if (chunks.empty() || choice == 0) return LLVMFuzzerMutate(data, size, most);
    Piece& any = chunks[below(random, chunks.size())];
    if (has_type(any, "IHDR") && choice < 8) {
        mutate_header(any, random);
    } else if (has_type(any, "IDAT") && choice < 8) {
        mutate_data(any, random);
    } else {
        vgg19::fuzzing::mutate_pieces(chunks, random, most - size);
    }
    std::vector<Piece> pieces = with_frames(chunks);
    pieces.insert(pieces.begin(), Piece(data, data + signature_bytes));
    return vgg19::fuzzing::write_pieces(pieces, data, most);
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vgg19::fuzzing::decode_picture({data, size});
    return 0;
}
