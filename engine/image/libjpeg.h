// A C++ wrapper of libjpeg-turbo.
#pragma once

#include "engine/image/jpeg_segments.h"
#include "engine/image/progress.h"
#include "vgg19/image.h"

namespace vgg19::libjpeg {

/// Decodes the picture that `segments` describes, at 1/`reduction` (1, 2, 4 or 8) of its height and width,
/// rounded up. The pixels equal those of Pillow and torchvision, CMYK converted to RGB included.
///
/// Some of libjpeg's warnings are errors here: invalid codes, and data that end before the picture is
/// complete. The error comes at the warning, so that a large header without data costs no time. Accepted are
/// data that end within the last row of blocks with a marker after them, stray bytes before markers, and
/// restart markers out of order.
///
/// Throws Error (bad_input) with libjpeg's message, Error (cancelled), and std::bad_alloc.
Image decode(const JpegSegments& segments, unsigned reduction, Progress& progress);

}  // namespace vgg19::libjpeg
