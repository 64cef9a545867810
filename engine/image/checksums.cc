#include "engine/image/checksums.h"

#include <algorithm>
#include <array>

namespace vgg19 {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    constexpr std::uint32_t polynomial = 0xEDB88320;  // its bits in reverse
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ (value % 2 == 0 ? 0 : polynomial);
        table[byte] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

}  // namespace

std::uint32_t crc32(Bytes bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const std::uint8_t byte : bytes) crc = crc >> 8U ^ crc_table[(crc ^ byte) & 0xFFU];
    return ~crc;
}

std::uint32_t adler32(Bytes bytes) {
    constexpr std::uint32_t modulus = 65521;
    constexpr std::size_t most_unreduced = 5552;  // sums of so many bytes fit into 32 bits
    std::uint32_t sum = 1;
    std::uint32_t sum_of_sums = 0;
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
