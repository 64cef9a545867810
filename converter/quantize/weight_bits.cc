#include "converter/quantize/weight_bits.h"

#include <algorithm>

#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

[[noreturn]] void refuse(std::string_view found) {
    throw Error(ErrorKind::usage,
                "--weight-bits: expected bits from 2 to 8, or LAYER=BITS, such as "
                "5,features.2=8; found '" +
                    std::string(found) + "'");
}

int bits_of(std::string_view digits, std::string_view entry) {
    if (digits.size() != 1) refuse(entry);
    const int bits = digits.front() - '0';
    if (bits < least_weight_bits || bits > most_weight_bits) refuse(entry);
    return bits;
}

}  // namespace

int WeightBits::of(const std::string& layer) const {
    const auto found = layers.find(layer);
    return found == layers.end() ? all : found->second;
}

std::vector<std::string> WeightBits::names() const {
    std::vector<std::string> names;
    for (const auto& [layer, bits] : layers) names.push_back(layer);
    return names;
}

WeightBits WeightBits::parse(std::string_view text) {
    WeightBits result;
    bool has_all = false;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view entry = text.substr(begin, end - begin);
        const std::size_t equals = entry.find('=');
        begin = end + 1;
        if (equals == std::string_view::npos) {
            if (has_all) refuse(text);
            result.all = bits_of(entry, entry);
            has_all = true;
            continue;
        }
        const std::string layer(entry.substr(0, equals));
        if (layer.empty()) refuse(entry);
        if (!result.layers.emplace(layer, bits_of(entry.substr(equals + 1), entry)).second) {
            throw Error(ErrorKind::usage, "--weight-bits: expected every layer once, found '" + layer +
                                              "' again in '" + std::string(text) + "'");
        }
    }
    return result;
}

std::string WeightBits::text() const {
    std::string text = all == most_weight_bits && !layers.empty() ? "" : std::to_string(all);
    for (const auto& [layer, bits] : layers) {
        text += (text.empty() ? "" : ",") + layer + "=" + std::to_string(bits);
    }
    return text;
}

}  // namespace vgg19::converter
