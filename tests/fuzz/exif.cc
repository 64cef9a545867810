// EXIF and XMP, of which the first byte says where one ends and the other begins: any bytes give an
// orientation.
#include "engine/image/exif.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const vgg19::Bytes bytes(data + 1, size - 1);
    const std::size_t exif_bytes = std::min<std::size_t>(data[0], bytes.size());
    const int orientation = vgg19::exif_orientation(bytes.first(exif_bytes), bytes.subspan(exif_bytes));
    if (orientation < 1 || orientation > 8) std::abort();
    return 0;
}
