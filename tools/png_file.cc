#include "tools/png_file.h"

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "converter/data/left_out.h"
#include "engine/model/replacing_file.h"
#include "tools/command.h"
#include "vgg19/error.h"

#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace vgg19::tools {

namespace {

void append(void* context, void* data, int size) {
    auto& bytes = *static_cast<std::vector<std::byte>*>(context);
    const auto* begin = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
}

/// stb_image_write counts bytes in ints.
bool fits(const ImageView& image) {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
    return image.width > 0 && image.height > 0 && image.stride >= image.width * 3 &&
           image.height < most / (image.width * 3 + 1) && image.stride < most;
}

}  // namespace

void write_png(const std::filesystem::path& path, const ImageView& image) {
    constexpr int channels = 3;
    if (!fits(image)) {
        throw Error(ErrorKind::usage, path.string() + ": expected a picture of 1 pixel to 2 GB, found " +
                                          std::to_string(image.width) + "×" + std::to_string(image.height));
    }
    std::vector<std::byte> bytes;
    const int written =
        stbi_write_png_to_func(append, &bytes, static_cast<int>(image.width), static_cast<int>(image.height),
                               channels, image.rgb, static_cast<int>(image.stride));
    if (written == 0) throw Error(ErrorKind::failed, path.string() + ": the picture cannot be compressed");
    model::ReplacingFile file(path);
    file.write(bytes);
    file.commit();
}

void check_png_destination(const std::filesystem::path& path) {
    if (converter::extension_of(path) != ".png") {
        throw Error(ErrorKind::usage, path.string() +
                                          ": expected a name that ends in .png, the format that "
                                          "is written");
    }
    check_destination(path);
}

}  // namespace vgg19::tools
