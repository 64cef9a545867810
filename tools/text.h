// Formats numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/table.h"
#include "engine/model/number_text.h"

namespace vgg19::tools {

std::string grouped(std::uint64_t number);  ///< "143,667,240"
std::string scaled(std::uint64_t count);    ///< "19.63 G", "143.67 M", …
/// The first digits that count: "4.21", "0.0415", "143.8" of four.
std::string significant(double number, int digits);
std::string joined(const std::vector<std::size_t>& numbers, const std::string& separator);  ///< "512×512×3×3"

}  // namespace vgg19::tools
