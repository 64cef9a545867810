// Pieces of the report's page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/model/json.h"

namespace vgg19::tools {

/// A member of the report; throws Error (bad_input) if there is none.
const model::Json& report_member(const model::Json& json, std::string_view key);

std::string element(const std::string& name, const std::string& content);
std::string percent(double share);             ///< "86.30 %"
std::string milliseconds_text(double number);  ///< "4.21 ms", "20.5 ms"
/// A table of cells that are HTML already, in a box that scrolls.
std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows);

/// The front as two pictures, accuracy over time and over bytes: as figures. Intervals are those of the
/// difference from the baseline where the report has "compression", which also has the promise, else those of
/// each accuracy alone.
std::string front_figures(const model::Json& report);

/// What a search found and how, from the report's "compression"; "" without it.
std::string promise_section(const model::Json& report);
std::string search_section(const model::Json& report);

}  // namespace vgg19::tools
