#include "converter/rounding/coded_size.h"

#include <array>
#include <functional>
#include <queue>
#include <vector>

namespace vgg19::converter {

std::uint64_t huffman_bytes(std::span<const std::int8_t> weights) {
    std::array<std::uint64_t, 256> counts{};
    for (const std::int8_t weight : weights) ++counts[static_cast<std::uint8_t>(weight)];
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> nodes;
    for (const std::uint64_t count : counts) {
        if (count > 0) nodes.push(count);
    }
    // Each merge makes the codes of all weights below it one bit longer.
    std::uint64_t bits = 0;
    while (nodes.size() > 1) {
        std::uint64_t merged = nodes.top();
        nodes.pop();
        merged += nodes.top();
        nodes.pop();
        bits += merged;
        nodes.push(merged);
    }
    return (bits + 7) / 8;
}

}  // namespace vgg19::converter
