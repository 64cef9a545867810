// Formats numbers and tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vgg19::bench {

/// With this many digits after the point.
std::string fixed(double value, int digits);

/// 574670937 → "574.7 MB"; a MB is 10^6 bytes.
std::string megabytes_text(std::uint64_t bytes);

/// The first column holds names, the others numbers; every row has one cell per header.
struct Grid {
    std::vector<std::string> heads;
    std::vector<std::vector<std::string>> rows;
};

/// Aligns columns with spaces: names left, numbers right.
std::string aligned(const Grid& grid);

/// The same as a GitHub Markdown table.
std::string markdown(const Grid& grid);

}  // namespace vgg19::bench
