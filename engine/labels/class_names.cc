#include "engine/labels/class_names.h"

#include <algorithm>

#include "engine/labels/labels.h"

namespace vgg19 {

namespace {

char comparable(char letter) {
    if (letter >= 'A' && letter <= 'Z') return static_cast<char>(letter - 'A' + 'a');
    return letter == '_' || letter == '-' ? ' ' : letter;
}

}  // namespace

bool is_same_class_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return comparable(x) == comparable(y); });
}

bool are_imagenet_names(std::span<const std::string> names) {
    const auto known = imagenet_classes();
    if (names.size() != known.size()) return false;
    std::size_t alike = 0;
    for (std::size_t i = 0; i < known.size(); ++i) {
        const bool is_alike = names[i] == known[i].synset || is_same_class_name(names[i], known[i].label);
        alike += static_cast<std::size_t>(is_alike);
    }
    return 10 * alike >= 9 * known.size();
}

std::optional<std::size_t> first_other_class(std::span<const std::string> names,
                                             std::span<const std::string> others) {
    if (names.empty() || others.empty()) return std::nullopt;
    if (are_imagenet_names(names) && are_imagenet_names(others)) return std::nullopt;
    const auto [name, other] =
        std::mismatch(names.begin(), names.end(), others.begin(), others.end(), is_same_class_name);
    if (name == names.end()) return std::nullopt;
    return static_cast<std::size_t>(name - names.begin());
}

}  // namespace vgg19
