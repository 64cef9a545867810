// What a file is, by how it starts.
#pragma once

#include <string_view>

#include "engine/image/bytes.h"
#include "engine/image/formats.h"

namespace vgg19 {

struct Recognised {
    Codec codec = Codec::none;
    std::string_view name;  ///< "JPEG"
};

/// Throws Error (bad_input) for what this build does not read; the message names what was found, where that
/// is known, and says what helps.
Recognised recognise_image(Bytes file);

}  // namespace vgg19
