#include "converter/evaluate/class_search.h"

#include <algorithm>
#include <array>

#include "engine/labels/class_names.h"
#include "engine/labels/labels.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// The only one of `count` classes with a matching name; an exact match takes precedence.
template <class NameOf>
std::optional<std::size_t> find_only(std::string_view name, std::size_t count, NameOf name_of) {
    std::optional<std::size_t> same;
    bool is_only = true;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view known = name_of(i);
        if (known == name) return i;
        if (!is_same_class_name(known, name)) continue;
        is_only = !same;
        same = i;
    }
    return is_only ? same : std::nullopt;
}

/// For "n02085620", "n02085620-Chihuahua" and "n01440764 tench"; none for other names.
std::optional<std::size_t> find_wordnet_id(std::string_view name, const ModelClasses& model) {
    constexpr std::size_t id_letters = 9;
    constexpr std::string_view separators = "-_ .,";
    if (name.size() > id_letters && separators.find(name[id_letters]) == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view id = name.substr(0, id_letters);
    return !is_digits(id) && is_class_id(id, model) ? find_class(id, model) : std::nullopt;
}

bool has_name(const std::vector<std::string>& names, std::string_view name) {
    return std::any_of(names.begin(), names.end(),
                       [name](const std::string& other) { return is_same_class_name(other, name); });
}

}  // namespace

std::optional<std::size_t> find_class_named(std::string_view name, const ModelClasses& model) {
    const auto own = find_only(name, model.names().size(),
                               [&](std::size_t i) -> std::string_view { return model.names()[i]; });
    if (own || !model.are_imagenet()) return own;
    if (const auto by_id = find_wordnet_id(name, model)) return by_id;
    const auto classes = imagenet_classes();
    return find_only(name, classes.size(),
                     [&](std::size_t i) -> std::string_view { return classes[i].label; });
}

void require_one_imagenet_class(const std::vector<std::string>& names) {
    struct Pair {
        std::string_view name;
        std::size_t first;
        std::size_t second;
    };
    constexpr auto pairs = std::to_array<Pair>({{"crane", 134, 517}, {"maillot", 638, 639}});
    const auto classes = imagenet_classes();
    for (const Pair& pair : pairs) {
        const bool is_told_apart =
            has_name(names, classes[pair.first].label) && has_name(names, classes[pair.second].label);
        if (!has_name(names, pair.name) || is_told_apart) continue;
        std::string text = "class folder ";
        text.append(in_quotes(pair.name)).append(": ImageNet has two classes with this name:");
        for (const std::size_t index : {pair.first, pair.second}) {
            text.append(index == pair.first ? " " : " and ").append(std::to_string(index));
            text.append(" (").append(classes[index].synset).append(", ").append(classes[index].label);
            text += ')';
        }
        throw Error(ErrorKind::bad_input, text +
                                              ". Name the folder by WordNet's id, or give --label-map FILE, "
                                              "or --class-order name for the one with that label");
    }
}

}  // namespace vgg19::converter
