#include "engine/image/checksums.h"

#include <algorithm>
#include <array>

namespace vgg19 {
namespace {

constexpr std::size_t at_once = 8;

/// tables[k] holds the effect of a byte that has k bytes after it, so that eight bytes take eight independent
/// look-ups.
using CrcTables = std::array<std::array<std::uint32_t, 256>, at_once>;

constexpr CrcTables make_crc_tables() {
    constexpr std::uint32_t polynomial = 0xEDB88320;  // bit-reversed
    CrcTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ (value % 2 == 0 ? 0 : polynomial);
        tables[0][byte] = value;
    }
    for (std::size_t k = 1; k < at_once; ++k) {
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[k - 1][byte];
            tables[k][byte] = before >> 8U ^ tables[0][before & 0xFFU];
        }
    }
    return tables;
}

constexpr CrcTables crc_tables = make_crc_tables();

}  // namespace

std::uint32_t crc32(Bytes bytes, std::uint32_t before) {
    std::uint32_t crc = ~before;
    for (; bytes.size() >= at_once; bytes = bytes.subspan(at_once)) {
        const std::uint32_t first = crc ^ little_endian(bytes, 0, 4);
        crc = 0;
        for (unsigned k = 0; k < 4; ++k) {
            crc ^= crc_tables[7 - k][first >> (8 * k) & 0xFFU] ^ crc_tables[3 - k][bytes[4 + k]];
        }
    }
    for (const std::uint8_t byte : bytes) crc = crc >> 8U ^ crc_tables[0][(crc ^ byte) & 0xFFU];
    return ~crc;
}

std::uint32_t adler32(Bytes bytes, std::uint32_t before) {
    constexpr std::uint32_t modulus = 65521;
    constexpr std::size_t most_unreduced = 5552;  // the largest number of bytes with sums that fit 32 bits
    std::uint32_t sum = before & 0xFFFFU;
    std::uint32_t sum_of_sums = before >> 16U;
    while (!bytes.empty()) {
        const std::size_t count = std::min(bytes.size(), most_unreduced);
        for (const std::uint8_t byte : bytes.first(count)) {
            sum += byte;
            sum_of_sums += sum;
        }
        sum %= modulus;
        sum_of_sums %= modulus;
        bytes = bytes.subspan(count);
    }
    return sum_of_sums << 16U | sum;
}

}  // namespace vgg19
