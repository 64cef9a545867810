// The Huffman tables that Motion JPEG frames leave out.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

/// A copy of the file with the tables of T.81, annex K.3, inserted after its start marker, for a decoder that
/// does not know them: 0 for luminance, 1 for chrominance.
std::vector<std::uint8_t> with_standard_huffman_tables(Bytes file);

}  // namespace vgg19
