// Numbers and tables as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vgg19::bench {

/// With that many digits after the point.
std::string fixed(double value, int digits);

/// 574670937 → "574.7 MB"; a MB is 10^6 bytes.
std::string megabytes_text(std::uint64_t bytes);

/// The first column holds names, the others numbers; every row has as many cells as there are heads.
struct Grid {
    std::vector<std::string> heads;
    std::vector<std::vector<std::string>> rows;
};

/// Columns in line by spaces: names to the left, numbers to the right.
std::string aligned(const Grid& grid);

/// The same as GitHub's Markdown has it.
std::string markdown(const Grid& grid);

}  // namespace vgg19::bench
