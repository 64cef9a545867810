#include "converter/evaluate/class_order.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>

#include "converter/evaluate/class_search.h"
#include "engine/labels/class_names.h"
#include "engine/labels/labels.h"
#include "engine/model/foreign_text.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using Names = std::vector<std::string>;

constexpr auto order_names =
    std::to_array<std::pair<std::string_view, ClassOrder>>({{"name", ClassOrder::name},
                                                            {"index", ClassOrder::index},
                                                            {"alphabetical", ClassOrder::alphabetical},
                                                            {"natural", ClassOrder::natural}});

constexpr std::size_t shown = 4;       ///< the number of classes shown in messages
constexpr std::size_t id_letters = 9;  ///< in a WordNet id: n and eight digits

[[noreturn]] void fail(const std::string& problem) {
    throw Error(ErrorKind::bad_input, problem);
}

/// "ant → 0, bee → 1, …"
std::string pairs_text(const Names& names, const LabelMap& map) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) {
        text += (text.empty() ? "" : ", ") + names[i] + " → " + std::to_string(map[i]);
    }
    return text + (names.size() > shown ? ", …" : "");
}

std::string list_text(const Names& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) {
        text += (text.empty() ? "" : ", ") + in_quotes(names[i]);
    }
    return text + (names.size() > shown ? ", …" : "");
}

// ---- by name ----

/// None if a name has no class; `unknown` then holds it.
std::optional<LabelMap> by_name(const Names& names, const ModelClasses& model, Names& unknown) {
    LabelMap map;
    for (const std::string& name : names) {
        if (const auto found = find_class_named(name, model)) {
            map.push_back(*found);
        } else {
            unknown.push_back(name);
        }
    }
    if (!unknown.empty()) return std::nullopt;
    return map;
}

[[noreturn]] void refuse_names(const Names& unknown, const ModelClasses& model) {
    std::string classes = "the model has " + std::to_string(model.count()) + " classes";
    if (!model.names().empty()) classes += ", such as " + list_text(model.names());
    if (model.are_imagenet()) classes += ", ImageNet's";
    fail("expected class folders named as the model's classes, found " + std::to_string(unknown.size()) +
         " that are not: " + list_text(unknown) + "; " + classes +
         ". Give --label-map FILE, or --class-order to go by index or place");
}

// ---- by index ----

std::optional<LabelMap> by_index(const Names& names, const ModelClasses& model) {
    LabelMap map;
    for (const std::string& name : names) {
        const auto index = is_digits(name) ? parse_index(name, model.count()) : std::nullopt;
        if (!index) return std::nullopt;
        map.push_back(*index);
    }
    return map;
}

LabelMap require_index(const Names& names, const ModelClasses& model) {
    for (const std::string& name : names) {
        if (is_digits(name) && parse_index(name, model.count())) continue;
        fail("class folder " + in_quotes(name) + ": expected " + model.range_text() +
             " as its name, for --class-order index");
    }
    return *by_index(names, model);
}

// ---- by position ----

std::string_view take_number(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    std::string_view number = text.substr(0, end);
    text.remove_prefix(end);
    while (number.size() > 1 && number[0] == '0') number.remove_prefix(1);
    return number;
}

/// Digits in names compare as numbers.
bool natural_less(std::string_view a, std::string_view b) {
    const std::string_view whole_a = a;
    const std::string_view whole_b = b;
    while (!a.empty() && !b.empty()) {
        if (is_digits(a.substr(0, 1)) && is_digits(b.substr(0, 1))) {
            const std::string_view x = take_number(a);
            const std::string_view y = take_number(b);
            if (x.size() != y.size()) return x.size() < y.size();
            if (x != y) return x < y;
            continue;
        }
        if (a[0] != b[0]) return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
    if (a.empty() != b.empty()) return a.empty();
    return whole_a < whole_b;
}

template <class Less>
LabelMap places(const Names& names, Less less) {
    std::vector<std::size_t> order(names.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return less(names[a], names[b]); });
    LabelMap map(names.size());
    for (std::size_t place = 0; place < order.size(); ++place) map[order[place]] = place;
    return map;
}

LabelMap alphabetical_places(const Names& names) {
    return places(names, [](const std::string& a, const std::string& b) { return a < b; });
}

LabelMap natural_places(const Names& names) {
    return places(names, [](const std::string& a, const std::string& b) { return natural_less(a, b); });
}

/// For folders of only some classes: their positions when the model's classes, named 0, 1, 2, …, are sorted
/// alphabetically. None if a name is not one of these numbers.
std::optional<LabelMap> places_among_all(const Names& names, const ModelClasses& model) {
    Names all(model.count());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = std::to_string(i);
    std::sort(all.begin(), all.end());
    LabelMap map;
    for (const std::string& name : names) {
        const auto found = std::lower_bound(all.begin(), all.end(), name);
        if (found == all.end() || *found != name) return std::nullopt;
        map.push_back(static_cast<std::size_t>(found - all.begin()));
    }
    return map;
}

/// `unknown` are the names that were not found, if some were.
[[noreturn]] void refuse_count(const Names& names, const ModelClasses& model, const Names& unknown = {}) {
    std::string text = "expected " + std::to_string(model.count()) + " classes as in the model";
    if (model.are_imagenet()) {
        text += ", or ImageNet's indices, labels or WordNet ids as class folders' names";
    }
    text += ", found " + std::to_string(names.size());
    if (!unknown.empty() && unknown.size() < names.size()) {
        text += ", of which " + list_text(unknown) + (unknown.size() == 1 ? " is" : " are") + " no such name";
    } else {
        text += " such as " + in_quotes(names.front());
    }
    fail(text + ": give --label-map FILE, with one line per class: its name and the model's class");
}

std::optional<LabelMap> by_alphabet(const Names& names, const ModelClasses& model) {
    if (names.size() == model.count()) return alphabetical_places(names);
    return names.size() < model.count() ? places_among_all(names, model) : std::nullopt;
}

// ---- selection ----

ClassMapping mapping(const Names& names, LabelMap map, const std::string& how) {
    std::string reading = how + ": " + pairs_text(names, map);
    return {std::move(map), std::move(reading)};
}

constexpr const char* said_by_name = "by name";
constexpr const char* said_by_index = "by index, which is the class folder's name";
constexpr const char* said_by_alphabet =
    "by place in alphabetical order, as PyTorch's ImageFolder numbers class folders";
constexpr const char* said_naturally = "by place, numbers in order of value";

struct Reading {
    const char* option;
    const char* how;
    LabelMap map;
};

/// For names that are all numbers, and a model without ImageNet's classes.
ClassMapping order_numbers(const Names& names, const ModelClasses& model) {
    std::vector<Reading> readings;
    const auto add = [&](const char* option, const char* how, std::optional<LabelMap> map) {
        const bool known = map && std::any_of(readings.begin(), readings.end(),
                                              [&](const Reading& other) { return other.map == *map; });
        if (map && !known) readings.push_back({option, how, std::move(*map)});
    };
    add("index", said_by_index, by_index(names, model));
    add("alphabetical", said_by_alphabet, by_alphabet(names, model));
    if (names.size() == model.count()) add("natural", said_naturally, natural_places(names));
    if (readings.empty()) refuse_count(names, model);
    if (readings.size() == 1) return mapping(names, std::move(readings[0].map), readings[0].how);

    std::string text =
        "the class folders' names are numbers, which can mean the model's classes in more than one way:";
    for (const Reading& reading : readings) {
        std::string pairs;
        std::size_t listed = 0;
        for (std::size_t i = 0; i < names.size() && listed < shown; ++i) {
            if (readings[0].map[i] == readings[1].map[i]) continue;
            pairs += (listed++ == 0 ? "" : ", ") + names[i] + " → " + std::to_string(reading.map[i]);
        }
        text += std::string("\n  --class-order ") + reading.option + ": " + reading.how + ": " + pairs;
    }
    fail(text + "\nGive the one that the model was trained with, or --label-map FILE");
}

ClassMapping order_imagenet(const Names& names, const ModelClasses& model) {
    const auto is_id = [&](const std::string& name) { return is_class_id(name, model); };
    if (std::all_of(names.begin(), names.end(), is_id)) {
        LabelMap map;
        for (const std::string& name : names) {
            const std::optional<std::size_t> target = find_class(name, model);
            if (!target) {
                fail("class folder " + in_quotes(name) + ": expected " + model.range_text() +
                     " as its name, or --label-map");
            }
            map.push_back(*target);
        }
        return mapping(names, std::move(map), "by ImageNet's index or WordNet's id");
    }
    Names unknown;
    if (auto map = by_name(names, model, unknown)) {
        const bool has_ids = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
            return !is_digits(name.substr(0, 1)) && is_class_id(name.substr(0, id_letters), model);
        });
        return mapping(names, std::move(*map),
                       has_ids ? "by ImageNet's labels and WordNet's ids" : "by ImageNet's labels");
    }
    if (names.size() != model.count()) {
        std::erase_if(unknown, [&](const std::string& name) { return find_class(name, model).has_value(); });
        refuse_count(names, model, unknown);
    }
    if (unknown.size() < names.size()) refuse_names(unknown, model);
    return mapping(names, alphabetical_places(names), said_by_alphabet);
}

ClassMapping order_automatically(const Names& names, const ModelClasses& model) {
    if (model.are_imagenet()) require_one_imagenet_class(names);
    if (!model.names().empty()) {
        Names unknown;
        if (auto map = by_name(names, model, unknown)) return mapping(names, std::move(*map), said_by_name);
        if (!model.are_imagenet()) refuse_names(unknown, model);
    }
    if (model.are_imagenet()) return order_imagenet(names, model);
    if (std::all_of(names.begin(), names.end(), is_digits)) return order_numbers(names, model);
    if (names.size() != model.count()) refuse_count(names, model);
    return mapping(names, alphabetical_places(names), said_by_alphabet);
}

}  // namespace

ModelClasses::ModelClasses(std::size_t count, std::vector<std::string> names)
    : count_(count), names_(std::move(names)) {
    imagenet_ = count == imagenet_classes().size() && (names_.empty() || are_imagenet_names(names_));
}

std::string ModelClasses::range_text() const {
    return "a class of the model, 0 to " + std::to_string(count_ - 1) +
           (imagenet_ ? " or WordNet's id such as n02123045" : "");
}

ClassOrder class_order_named(std::string_view text) {
    for (const auto& [name, order] : order_names) {
        if (name == text) return order;
    }
    throw Error(ErrorKind::usage, "--class-order: expected name, index, alphabetical or natural, found '" +
                                      std::string(text) + "'");
}

ClassMapping order_classes(const Names& names, const ModelClasses& model, ClassOrder order) {
    switch (order) {
        case ClassOrder::automatic:
            break;
        case ClassOrder::name: {
            Names unknown;
            auto map = by_name(names, model, unknown);
            if (!map) refuse_names(unknown, model);
            return mapping(names, std::move(*map), said_by_name);
        }
        case ClassOrder::index:
            return mapping(names, require_index(names, model), said_by_index);
        case ClassOrder::alphabetical: {
            auto map = by_alphabet(names, model);
            if (!map) refuse_count(names, model);
            return mapping(names, std::move(*map), said_by_alphabet);
        }
        case ClassOrder::natural:
            if (names.size() != model.count()) refuse_count(names, model);
            return mapping(names, natural_places(names), said_naturally);
    }
    return order_automatically(names, model);
}

bool is_class_id(std::string_view text, const ModelClasses& model) {
    if (is_digits(text)) return true;
    return model.are_imagenet() && text.size() == id_letters && text[0] == 'n' && is_digits(text.substr(1));
}

std::optional<std::size_t> find_class(std::string_view id, const ModelClasses& model) {
    if (!is_class_id(id, model)) {
        const auto own = std::find(model.names().begin(), model.names().end(), id);
        if (own == model.names().end()) return std::nullopt;
        return static_cast<std::size_t>(own - model.names().begin());
    }
    if (is_digits(id)) return parse_index(id, model.count());
    const auto classes = imagenet_classes();
    const auto found = std::find_if(classes.begin(), classes.end(),
                                    [id](const ImageNetClass& candidate) { return candidate.synset == id; });
    if (found == classes.end()) return std::nullopt;
    return static_cast<std::size_t>(found - classes.begin());
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 60;
    return "'" + model::printable(text, longest) + "'";
}

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::size_t> parse_index(std::string_view digits, std::size_t end) {
    std::size_t index = 0;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc{} || index >= end) return std::nullopt;
    return index;
}

}  // namespace vgg19::converter
