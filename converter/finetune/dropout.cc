#include "converter/finetune/dropout.h"

namespace vgg19::converter {

namespace {

/// A 32-bit bijection in which each input bit flips each output bit with a probability of about one half
/// (constants by C. Wellons, 2018).
std::uint32_t mix(std::uint32_t value) {
    value = (value ^ (value >> 16U)) * 0x7FEB352DU;
    value = (value ^ (value >> 15U)) * 0x846CA68BU;
    return value ^ (value >> 16U);
}

}  // namespace

void drop_out(std::uint64_t key, std::uint32_t layer, double probability, std::span<float> values) {
    if (probability == 0) return;
    constexpr double range = 4294967296.0;  // 2^32
    const auto threshold = static_cast<std::uint32_t>(probability * range);
    const auto scale = static_cast<float>(1.0 / (1.0 - probability));
    // Uses both words of the key: with one alone, the streams of two keys could be shifted copies of each
    // other.
    const std::uint32_t low = mix(static_cast<std::uint32_t>(key) ^ mix(layer));
    const std::uint32_t high = mix(static_cast<std::uint32_t>(key >> 32U) + mix(low));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint32_t random = mix(mix(static_cast<std::uint32_t>(i) + low) ^ high);
        values[i] = random < threshold ? 0.0F : values[i] * scale;
    }
}

}  // namespace vgg19::converter
