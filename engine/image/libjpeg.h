// libjpeg-turbo, in our terms.
#pragma once

#include "engine/image/jpeg_segments.h"
#include "vgg19/image.h"

namespace vgg19::libjpeg {

/// Decodes the picture that `segments` describes, at 1/`reduction` (1, 2, 4 or 8) of its sides, rounded up:
/// the pixels that Pillow and torchvision read, those of CMYK turned to RGB as they do it.
///
/// Where libjpeg warns and goes on: codes that are none, and data that end before the picture does, are
/// errors, at the warning, so that a header of many pixels without their data costs no time. Data that end in
/// the last row of blocks, with a marker behind them, are taken, and so are stray bytes before markers and
/// restart markers out of turn.
///
/// Throws Error (bad_input) with libjpeg's reason, and std::bad_alloc.
Image decode(const JpegSegments& segments, unsigned reduction);

}  // namespace vgg19::libjpeg
