// Converts sizes to and from text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/json.h"
#include "engine/model/network.h"
#include "vgg19/map_size.h"

namespace vgg19::model {

/// Parses "224" (a square) or "224x320" (height × width); none for other texts. The inverse of to_string().
std::optional<MapSize> parse_map_size(std::string_view text);

/// "224×320" (height × width), for tables.
std::string pixels_text(MapSize size);

/// A number for a square, else the text "224x320".
Json size_json(MapSize size);

/// What errors expect of an input's size: "a whole number from 32 to 8192, or two as HEIGHTxWIDTH", for the
/// smallest side 32.
std::string expected_input_size(std::size_t smallest_side = smallest_input);

/// Parses the value of the command-line option --`option`, and checks the limits of an input (network.h).
/// Throws Error (usage) that names the option.
MapSize input_size_option(std::string_view option, std::string_view text,
                          std::size_t smallest_side = smallest_input);

}  // namespace vgg19::model
