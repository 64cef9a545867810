// Random numbers that depend only on their position, so that resumed training continues with the same
// numbers.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace vgg19::converter {

/// The purpose of the numbers; each has its own stream.
enum class RandomUse : std::uint64_t { subset = 1, order, augmentation, dropout, head };

/// SplitMix64's finaliser (Steele, Lea and Flood, 2014): every bit of the result depends on every bit of x.
constexpr std::uint64_t mix_bits(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
}

/// 64 random bits for an item of a data set in an epoch.
constexpr std::uint64_t random_key(std::uint64_t seed, RandomUse use, std::uint64_t epoch,
                                   std::uint64_t item) {
    std::uint64_t key = mix_bits(seed);
    for (const std::uint64_t part : {static_cast<std::uint64_t>(use), epoch, item}) {
        key = mix_bits(key ^ mix_bits(part));
    }
    return key;
}

}  // namespace vgg19::converter
