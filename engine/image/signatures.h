// Recognises the type of a file from its first bytes.
#pragma once

#include <string_view>

#include "engine/image/bytes.h"
#include "engine/image/formats.h"

namespace vgg19 {

struct Recognised {
    Codec codec = Codec::none;
    std::string_view name;  ///< "JPEG"
};

/// Throws Error (bad_input) for a type that this build does not read; the message names the type, where it is
/// known, and what to do.
Recognised recognise_image(Bytes file);

}  // namespace vgg19
