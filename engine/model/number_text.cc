#include "engine/model/number_text.h"

#include <array>
#include <charconv>

namespace vgg19 {

namespace {

template <class Number>
std::string shortest(Number value) {
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

}  // namespace

std::string shortest_text(double value) {
    return shortest(value);
}

std::string shortest_text(float value) {
    return shortest(value);
}

std::string fixed(double value, int digits) {
    std::array<char, 400> text{};  // the largest double has 309 digits before the point
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
    return error == std::errc() ? std::string(text.data(), end) : "?";
}

std::string megabytes(std::uint64_t bytes) {
    const auto number = static_cast<double>(bytes);
    return bytes < 1'000'000 ? fixed(number / 1e3, 1) + " kB" : fixed(number / 1e6, 1) + " MB";
}

}  // namespace vgg19
