// JPEGs whose segments and scans are mutated while the lengths of segments stay right.
#include <algorithm>
#include <array>

#include "engine/image/bytes.h"
#include "tests/fuzz/pictures.h"

namespace {

using vgg19::fuzzing::below;
using vgg19::fuzzing::Piece;

/// A segment with its marker and length, or a scan's data: what lies between two segments.
bool is_segment(const Piece& piece) {
    return piece.size() >= 4 && piece[0] == 0xFF && piece[1] >= 0xC0 && piece[1] != 0xFF &&
           (piece[1] < 0xD0 || piece[1] > 0xD9);
}

bool starts_segment(vgg19::Bytes file, std::size_t offset) {
    if (offset + 4 > file.size() || file[offset] != 0xFF) return false;
    const std::uint8_t marker = file[offset + 1];
    return marker >= 0xC0 && marker != 0xFF && (marker < 0xD0 || marker > 0xD9);
}

std::vector<Piece> pieces_of(vgg19::Bytes file) {
    std::vector<Piece> pieces;
    for (std::size_t offset = 2; offset < file.size();) {
        std::size_t end = offset;
        if (starts_segment(file, offset)) {
            end = std::min(file.size(), offset + 2 + vgg19::big_endian(file, offset + 2, 2));
            end = std::max(end, offset + 4);
        } else {
            do {
                ++end;
            } while (end < file.size() && !starts_segment(file, end));
        }
        const auto begin = file.begin();
        pieces.emplace_back(begin + static_cast<std::ptrdiff_t>(offset),
                            begin + static_cast<std::ptrdiff_t>(end));
        offset = end;
    }
    return pieces;
}

/// Sizes, sampling factors and progressions that mutations of bytes would seldom meet.
void mutate_header(std::vector<Piece>& pieces, std::minstd_rand& random) {
    constexpr std::array<std::uint8_t, 6> frames = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA, 0xC4};
    constexpr std::array<std::uint8_t, 6> sampling = {0x11, 0x21, 0x12, 0x22, 0x41, 0x44};
    Piece& piece = pieces[below(random, pieces.size())];
    if (!is_segment(piece)) return;
    if (piece[1] == 0xDA && piece.size() >= 8) {  // a scan: which coefficients, and which of their bits
        const std::size_t end = piece.size();
        piece[end - 3] = static_cast<std::uint8_t>(below(random, 64));
        piece[end - 2] = static_cast<std::uint8_t>(below(random, 64));
        piece[end - 1] = static_cast<std::uint8_t>(below(random, 4) * 16 + below(random, 4));
    } else if (piece[1] <= 0xCF && piece.size() >= 13) {
        switch (below(random, 4)) {
            case 0:
                piece[1] = frames[below(random, frames.size())];
                break;
            case 1:
                piece[11] = sampling[below(random, sampling.size())];
                break;
            default:
                piece[5 + below(random, 2) * 2] =
                    below(random, 8) == 0 ? std::uint8_t{0xFF} : std::uint8_t{0};
                piece[6 + below(random, 2) * 2] = static_cast<std::uint8_t>(1 + below(random, 120));
        }
    }
}

/// The same header and data again, as hostile files do to make work.
void repeat_scan(std::vector<Piece>& pieces, std::minstd_rand& random, std::size_t room) {
    const std::size_t first = below(random, pieces.size());
    if (first + 1 >= pieces.size()) return;
    const Piece header = pieces[first];
    const Piece data = pieces[first + 1];
    for (std::size_t used = 0; used + header.size() + data.size() <= room && below(random, 30) != 0;) {
        used += header.size() + data.size();
        const auto at = pieces.begin() + static_cast<std::ptrdiff_t>(first);
        pieces.insert(pieces.insert(at, data), header);
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the names are the fuzzer's
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<Piece> pieces = pieces_of({data, size});
    const std::size_t choice = below(random, 10);
    if (pieces.empty() || choice == 0) return LLVMFuzzerMutate(data, size, most);
    if (choice == 1) {
        repeat_scan(pieces, random, most - size);
    } else if (choice < 4) {
        mutate_header(pieces, random);
    } else {
        vgg19::fuzzing::mutate_pieces(pieces, random, most - size);
    }
    for (Piece& piece : pieces) {
        if (!is_segment(piece)) continue;
        const std::size_t length = std::min<std::size_t>(piece.size() - 2, 0xFFFF);
        piece[2] = static_cast<std::uint8_t>(length >> 8U);
        piece[3] = static_cast<std::uint8_t>(length);
    }
    pieces.insert(pieces.begin(), Piece{0xFF, 0xD8});
    return vgg19::fuzzing::write_pieces(pieces, data, most);
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vgg19::fuzzing::decode_picture({data, size});
    return 0;
}
