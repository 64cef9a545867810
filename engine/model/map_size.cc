#include "engine/model/map_size.h"

#include <charconv>
#include <system_error>

#include "vgg19/error.h"

namespace vgg19 {

std::string to_string(MapSize size) {
    const std::string height = std::to_string(size.height);
    return size.height == size.width ? height : height + 'x' + std::to_string(size.width);
}

namespace model {

namespace {

bool parse_whole(std::string_view text, std::size_t& value) {
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

std::optional<MapSize> parse_map_size(std::string_view text) {
    const std::size_t cross = text.find('x');
    MapSize size;
    if (!parse_whole(text.substr(0, cross), size.height)) return std::nullopt;
    if (cross == std::string_view::npos) return MapSize(size.height);
    if (!parse_whole(text.substr(cross + 1), size.width)) return std::nullopt;
    return size;
}

std::string pixels_text(MapSize size) {
    return std::to_string(size.height) + "×" + std::to_string(size.width);
}

Json size_json(MapSize size) {
    if (size.height == size.width) return std::uint64_t{size.height};
    return to_string(size);
}

std::string expected_input_size(std::size_t smallest_side) {
    return "a whole number from " + std::to_string(smallest_side) + " to " + std::to_string(largest_input) +
           ", or two as HEIGHTxWIDTH";
}

MapSize input_size_option(std::string_view option, std::string_view text, std::size_t smallest_side) {
    const std::optional<MapSize> size = parse_map_size(text);
    if (size && is_input_size(*size, smallest_side)) return *size;
    throw Error(ErrorKind::usage, "--" + std::string(option) + ": expected " +
                                      expected_input_size(smallest_side) + ", found '" + std::string(text) +
                                      "'");
}

}  // namespace model

}  // namespace vgg19
