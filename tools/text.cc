#include "tools/text.h"

#include <cmath>

namespace vgg19::tools {

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
    return text;
}

std::string scaled(std::uint64_t count) {
    const auto number = static_cast<double>(count);
    if (number >= 1e9) return fixed(number / 1e9, 2) + " G";
    if (number >= 1e6) return fixed(number / 1e6, 2) + " M";
    if (number >= 1e3) return fixed(number / 1e3, 2) + " k";
    return std::to_string(count);
}

std::string significant(double number, int digits) {
    if (number == 0 || !std::isfinite(number)) return shortest_text(number);
    const double place = std::pow(10, digits - 1 - std::floor(std::log10(std::abs(number))));
    return shortest_text(std::round(number * place) / place);
}

std::string joined(const std::vector<std::size_t>& numbers, const std::string& separator) {
    std::string text;
    for (const std::size_t number : numbers) {
        if (!text.empty()) text += separator;
        text += std::to_string(number);
    }
    return text;
}

}  // namespace vgg19::tools
