// Numbers as text, the same in every locale.
#pragma once

#include <cstdint>
#include <string>

namespace vgg19 {

/// The fewest digits that read back as the same number: "0.1", "1e-05".
std::string shortest_text(double value);
std::string shortest_text(float value);

/// With this many digits after the point.
std::string fixed(double value, int digits);

/// "574.7 MB", or "12.3 kB" for less than one; MB is 10^6.
std::string megabytes(std::uint64_t bytes);

}  // namespace vgg19
