#include "engine/model/description.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <system_error>

#include "engine/model/foreign_text.h"
#include "engine/model/json.h"
#include "engine/model/json_reader.h"
#include "engine/model/map_size.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr const char* format = "vgg19";
/// The second version has what readers of the first would pass over, and so give wrong results: a channel
/// order, a range, average pooling. Files without these stay of the first.
constexpr const char* format_version = "1";
constexpr const char* second_format_version = "2";
constexpr const char* channel_order_key = "preprocessing.channel_order";
constexpr const char* range_key = "preprocessing.range";
constexpr const char* pooling_key = "pooling";
constexpr const char* class_names_key = "class_names";
constexpr const char* pooled_side_key = "pooled_side";
constexpr const char* interpolation = "bilinear antialiased";
constexpr std::array<std::string_view, 2> channel_order_names = {"RGB",
                                                                 "BGR"};  // in the order of ChannelOrder
constexpr std::array<std::string_view, 2> pooling_names = {"max", "average"};
constexpr double largest_resize_ratio = 8;

using MetadataMap = std::map<std::string_view, std::string_view>;

[[noreturn]] void fail(const std::string& key, const std::string& expected, std::string_view found) {
    throw Error(ErrorKind::bad_input,
                "metadata \"" + key + "\": expected " + expected + ", found " + in_quotes(found));
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

/// One of two texts, the second for `true`; the first if there is no value.
bool read_choice(const MetadataMap& metadata, const char* key, std::array<std::string_view, 2> choices) {
    const auto text = metadata.find(key);
    if (text == metadata.end() || text->second == choices[0]) return false;
    if (text->second == choices[1]) return true;
    fail(key, '"' + std::string(choices[0]) + "\" or \"" + std::string(choices[1]) + '"', text->second);
}

MapSize read_input_size(const MetadataMap& metadata, std::size_t smallest_side) {
    const std::string_view text = value_of(metadata, "preprocessing.input_size");
    const std::optional<MapSize> size = parse_map_size(text);
    if (!size || !is_input_size(*size, smallest_side)) {
        fail("preprocessing.input_size", expected_input_size(smallest_side), text);
    }
    return *size;
}

float read_range(const MetadataMap& metadata) {
    const auto text = metadata.find(range_key);
    if (text == metadata.end()) return 1;
    float range = 0;
    if (!parse_number(text->second, range) || !is_range(range)) {
        fail(range_key, "a number from 1 to 65535", text->second);
    }
    return range;
}

Preprocessing read_preprocessing(const MetadataMap& metadata, const Network& network) {
    Preprocessing result;
    result.input_size = read_input_size(metadata, network.smallest_input_side());
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
    const bool is_bgr = read_choice(metadata, channel_order_key, channel_order_names);
    result.channel_order = is_bgr ? ChannelOrder::bgr : ChannelOrder::rgb;
    result.range = read_range(metadata);
    return result;
}

void require_known_version(const MetadataMap& metadata) {
    const std::string_view found = value_of(metadata, "format_version");
    if (found == format_version || found == second_format_version) return;
    fail("format_version",
         '"' + std::string(format_version) + "\" or \"" + std::string(second_format_version) + '"', found);
}

/// Adds what makes a description one of the second version.
void add_second_version(const Description& description, Metadata& metadata) {
    const std::size_t before = metadata.size();
    const Preprocessing& preprocessing = description.preprocessing;
    if (preprocessing.channel_order != ChannelOrder::rgb) {
        metadata.emplace_back(channel_order_key, channel_order_name(preprocessing.channel_order));
    }
    if (preprocessing.range != 1) metadata.emplace_back(range_key, shortest_text(preprocessing.range));
    if (description.pooling != Pooling::max) {
        metadata.emplace_back(pooling_key, pooling_name(description.pooling));
    }
    if (metadata.size() == before) return;
    const auto version = std::find_if(metadata.begin(), metadata.end(),
                                      [](const auto& entry) { return entry.first == "format_version"; });
    version->second = second_format_version;
}

std::string class_names_text(const std::vector<std::string>& names) {
    Json list = Json::Array{};
    for (const std::string& name : names) list.push(name);
    return list.dump();
}

/// The texts of a list, as far as there are at most that many; another number of them, or none of them, if
/// the text is no such list.
std::vector<std::string> read_names(std::string_view text, std::size_t most) {
    const std::string place = std::string("metadata \"") + class_names_key + '"';
    JsonReader reader(text, place);
    std::vector<std::string> names;
    bool are_names = reader.next() == JsonReader::Kind::array;
    if (!are_names) return names;
    reader.array([&] {
        are_names = are_names && reader.next() == JsonReader::Kind::string && names.size() <= most;
        if (are_names) {
            names.push_back(reader.string());
        } else {
            reader.skip();
        }
    });
    reader.end();
    return are_names ? names : std::vector<std::string>();
}

std::vector<std::string> read_class_names(const MetadataMap& metadata, std::size_t classes) {
    const auto text = metadata.find(class_names_key);
    if (text == metadata.end()) return {};
    std::vector<std::string> names = read_names(text->second, classes);
    const std::set<std::string_view> distinct(names.begin(), names.end());
    if (names.size() != classes || distinct.size() != classes) {
        fail(class_names_key, std::to_string(classes) + " different names", text->second);
    }
    return names;
}

}  // namespace

std::string_view channel_order_name(ChannelOrder order) {
    return channel_order_names.at(static_cast<std::size_t>(order));
}

std::string_view pooling_name(Pooling pooling) {
    return pooling_names.at(static_cast<std::size_t>(pooling));
}

bool is_range(float range) {
    constexpr float largest = 65535;
    return range >= 1 && range <= largest;
}

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
    add_second_version(description, metadata);
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
    require_known_version(values);
    Network network = Network::parse(value_of(values, "features"), value_of(values, "classifier"),
                                     read_pooled_side(values));
    Preprocessing preprocessing = read_preprocessing(values, network);
    Description description{
        std::move(network),
        preprocessing,
        std::string(value_of(values, "variant")),
        std::string(value_of(values, "source_sha256")),
        {},
    };
    for (auto step = values.find(lineage_key(0)); step != values.end();
         step = values.find(lineage_key(description.lineage.size()))) {
        description.lineage.emplace_back(step->second);
    }
    const bool averages = read_choice(values, pooling_key, pooling_names);
    description.pooling = averages ? Pooling::average : Pooling::max;
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
