#include "engine/model/description.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <system_error>

#include "engine/model/json.h"
#include "engine/model/map_size.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr const char* format = "vgg19";
constexpr const char* format_version = "1";
constexpr const char* class_names_key = "class_names";
constexpr const char* pooled_side_key = "pooled_side";
constexpr const char* interpolation = "bilinear antialiased";
constexpr double largest_resize_ratio = 8;

using MetadataMap = std::map<std::string_view, std::string_view>;

[[noreturn]] void fail(const std::string& key, const std::string& expected, std::string_view found) {
    throw Error(ErrorKind::bad_input, "metadata \"" + key + "\": expected " + expected + ", found \"" +
                                          std::string(found.substr(0, 200)) + '"');
}

std::string lineage_key(std::size_t step) {
    return "lineage." + std::to_string(step);
}

std::string_view value_of(const MetadataMap& metadata, const std::string& key) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) {
        throw Error(ErrorKind::bad_input, "metadata \"" + key + "\": expected a value, found none");
    }
    return found->second;
}

void require(const MetadataMap& metadata, const std::string& key, const std::string& expected) {
    const std::string_view found = value_of(metadata, key);
    if (found != expected) fail(key, '"' + expected + '"', found);
}

std::string three_numbers_text(const std::array<float, 3>& values) {
    return shortest_text(values[0]) + ' ' + shortest_text(values[1]) + ' ' + shortest_text(values[2]);
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    return result.ec == std::errc() && result.ptr == end;
}

std::array<float, 3> read_three_numbers(const MetadataMap& metadata, const std::string& key) {
    const std::string_view text = value_of(metadata, key);
    std::array<float, 3> values{};
    std::string_view rest = text;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t end = i + 1 < values.size() ? rest.find(' ') : rest.size();
        if (end == std::string_view::npos || !parse_number(rest.substr(0, end), values[i]) ||
            !std::isfinite(values[i])) {
            fail(key, "three finite numbers", text);
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return values;
}

std::size_t read_pooled_side(const MetadataMap& metadata) {
    const auto text = metadata.find(pooled_side_key);
    if (text == metadata.end()) return default_pooled_side;
    std::size_t side = 0;
    if (!parse_number(text->second, side)) fail(pooled_side_key, "a whole number", text->second);
    return side;
}

Preprocessing read_preprocessing(const MetadataMap& metadata) {
    Preprocessing result;
    const std::string_view size = value_of(metadata, "preprocessing.input_size");
    const std::optional<MapSize> input_size = parse_map_size(size);
    if (!input_size || !is_input_size(*input_size)) {
        fail("preprocessing.input_size", expected_input_size(), size);
    }
    result.input_size = *input_size;
    const std::string_view ratio = value_of(metadata, "preprocessing.resize_ratio");
    if (!parse_number(ratio, result.resize_ratio) || !(result.resize_ratio >= 1) ||
        result.resize_ratio > largest_resize_ratio) {
        fail("preprocessing.resize_ratio", "a number from 1 to " + shortest_text(largest_resize_ratio),
             ratio);
    }
    result.mean = read_three_numbers(metadata, "preprocessing.mean");
    result.deviation = read_three_numbers(metadata, "preprocessing.deviation");
    for (const float deviation : result.deviation) {
        if (deviation <= 0) {
            fail("preprocessing.deviation", "positive numbers",
                 value_of(metadata, "preprocessing.deviation"));
        }
    }
    require(metadata, "preprocessing.interpolation", interpolation);
    return result;
}

std::string class_names_text(const std::vector<std::string>& names) {
    Json list = Json::Array{};
    for (const std::string& name : names) list.push(name);
    return list.dump();
}

std::vector<std::string> read_class_names(const MetadataMap& metadata, std::size_t classes) {
    const auto text = metadata.find(class_names_key);
    if (text == metadata.end()) return {};
    const Json list = Json::parse(text->second, std::string("metadata \"") + class_names_key + '"');
    std::vector<std::string> names;
    if (list.is_array() && std::all_of(list.array().begin(), list.array().end(),
                                       [](const Json& name) { return name.is_string(); })) {
        for (const Json& name : list.array()) names.push_back(name.string());
    }
    const std::set<std::string_view> distinct(names.begin(), names.end());
    if (names.size() != classes || distinct.size() != classes) {
        fail(class_names_key, std::to_string(classes) + " different names", text->second);
    }
    return names;
}

}  // namespace

Metadata metadata_from_description(const Description& description) {
    const Preprocessing& preprocessing = description.preprocessing;
    Metadata metadata = {
        {"format", format},
        {"format_version", format_version},
        {"features", description.network.features_text()},
        {"classifier", description.network.classifier_text()},
        {"preprocessing.input_size", to_string(preprocessing.input_size)},
        {"preprocessing.resize_ratio", shortest_text(preprocessing.resize_ratio)},
        {"preprocessing.mean", three_numbers_text(preprocessing.mean)},
        {"preprocessing.deviation", three_numbers_text(preprocessing.deviation)},
        {"preprocessing.interpolation", interpolation},
        {"variant", description.variant},
        {"source_sha256", description.source_sha256},
    };
    const std::size_t pooled_side = description.network.pooled_side();
    if (pooled_side != default_pooled_side) {
        metadata.emplace_back(pooled_side_key, std::to_string(pooled_side));
    }
    for (std::size_t i = 0; i < description.lineage.size(); ++i) {
        metadata.emplace_back(lineage_key(i), description.lineage[i]);
    }
    if (!description.class_names.empty()) {
        metadata.emplace_back(class_names_key, class_names_text(description.class_names));
    }
    return metadata;
}

bool is_model(const Metadata& metadata) {
    const std::string* found = find(metadata, "format");
    return found != nullptr && *found == format;
}

Description description_from_metadata(const Metadata& metadata) {
    const MetadataMap values(metadata.begin(), metadata.end());
    if (!is_model(metadata)) {
        throw Error(
            ErrorKind::bad_input,
            "expected a model that vgg19 wrote, found other metadata; import it with `vgg19 convert`");
    }
    require(values, "format_version", format_version);
    Description description{
        Network::parse(value_of(values, "features"), value_of(values, "classifier"),
                       read_pooled_side(values)),
        read_preprocessing(values),
        std::string(value_of(values, "variant")),
        std::string(value_of(values, "source_sha256")),
        {},
    };
    for (auto step = values.find(lineage_key(0)); step != values.end();
         step = values.find(lineage_key(description.lineage.size()))) {
        description.lineage.emplace_back(step->second);
    }
    description.class_names = read_class_names(values, description.network.classes());
    return description;
}

std::string checksum_key(std::string_view tensor) {
    return "checksum." + std::string(tensor);
}

std::string checksum_text(std::string_view sha256) {
    return "sha256:" + std::string(sha256);
}

}  // namespace vgg19::model
