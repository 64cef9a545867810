// The orientation in EXIF metadata.
#pragma once

#include "engine/image/bytes.h"
#include "engine/image/progress.h"
#include "vgg19/image.h"

namespace vgg19 {

/// Reads the orientation tag (0x0112) from the first directory of a TIFF structure: 1 to 8 as in EXIF 2.3,
/// section 4.6.4 A, stored as an integer of any size. A prefix "Exif\0\0" is skipped. Returns 1 (upright)
/// where the tag is missing or the structure is invalid: broken metadata is no reason to reject a picture.
/// Where the tag is missing, tiff:Orientation in the XMP packet `xmp` is used.
int exif_orientation(Bytes exif, Bytes xmp = {});

/// Rotates and mirrors the stored pixels into the upright position.
Image oriented(Image stored, int orientation, Progress& progress);

}  // namespace vgg19
