// How many bits the weights of each INT8 layer use.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

inline constexpr int least_weight_bits = 2;
inline constexpr int most_weight_bits = 8;

/// The largest quantised weight: 2^(bits − 1) − 1, such as 127 for 8 bits. The smallest is its negative.
constexpr int largest_weight(int bits) {
    return (1 << (bits - 1)) - 1;
}

/// Weights of few bits are stored as INT8 and run by the same kernels. They are fewer different values, so
/// that entropy coding makes them shorter.
struct WeightBits {
    int all = most_weight_bits;         ///< of layers that are not named
    std::map<std::string, int> layers;  ///< by name

    int of(const std::string& layer) const;
    std::vector<std::string> names() const;  ///< of `layers`

    /// "5,features.2=8": the bits of all layers, of some, or both. Throws Error (usage) for bits outside 2 to
    /// 8, and for a layer that is named twice.
    static WeightBits parse(std::string_view text);
    std::string text() const;  ///< the inverse of parse()

    friend bool operator==(const WeightBits& a, const WeightBits& b) = default;
};

}  // namespace vgg19::converter
