// EXIF: how the camera was held.
#pragma once

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19 {

/// The orientation tag (0x0112) of the first directory of a TIFF structure, 1 to 8 as EXIF 2.3, section
/// 4.6.4 A says, in an integer of any size; 1, upright, where there is none or the structure makes no sense,
/// because a picture is still a picture when its remarks are broken. "Exif" and two zeros may stand before
/// it. Where the tag is not there, `xmp`, a packet of XMP, may have it as tiff:Orientation.
int exif_orientation(Bytes exif, Bytes xmp = {});

/// Turns and mirrors the stored pixels so that they look as the camera saw them.
Image oriented(Image stored, int orientation);

}  // namespace vgg19
