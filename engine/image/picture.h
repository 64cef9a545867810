// A picture whose headers have been read.
#pragma once

#include <functional>

#include "engine/image/bytes.h"
#include "engine/image/progress.h"
#include "vgg19/image.h"

namespace vgg19 {

/// What the reader of each format returns. Refers to the file's bytes.
struct Picture {
    PixelSize size;                ///< of the pixels that `decode` returns
    std::size_t memory_bytes = 0;  ///< the peak of what `decode` allocates, its result included
    std::size_t work = 0;          ///< of `decode`, in the unit of ImageCost
    int orientation = 1;           ///< how the pixels must be turned, as in EXIF
    /// Throws Error (bad_input, cancelled) and std::bad_alloc.
    std::function<Image(Progress&)> decode;
};

inline std::size_t pixels_of(const PixelSize& size) {
    return size.width * size.height;
}

}  // namespace vgg19
