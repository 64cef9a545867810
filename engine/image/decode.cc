#include <istream>
#include <string>
#include <utility>
#include <vector>

#include "engine/image/bmp.h"
#include "engine/image/exif.h"
#include "engine/image/file_bytes.h"
#include "engine/image/gif.h"
#include "engine/image/jpeg.h"
#include "engine/image/png.h"
#include "engine/image/pnm.h"
#include "engine/image/signatures.h"
#include "engine/image/sizes.h"
#if VGG19_HAS_WEBP
#include "engine/image/webp.h"
#endif
#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19 {
namespace {

Picture open_picture(Codec codec, Bytes file, const ImageOptions& options) {
    switch (codec) {
        case Codec::jpeg:
            return open_jpeg(file, options);
        case Codec::png:
            return open_png(file, options);
        case Codec::bmp:
            return open_bmp(file, options);
        case Codec::gif:
            return open_gif(file, options);
        case Codec::pnm:
            return open_pnm(file, options);
        case Codec::webp:
#if VGG19_HAS_WEBP
            return open_webp(file, options);
#endif
        case Codec::none:
            break;
    }
    throw Error(ErrorKind::bad_input, "this build does not read it");
}

Picture open_within_limits(Codec codec, Bytes file, const ImageOptions& options) {
    Picture picture = open_picture(codec, file, options);
    check_cost(cost_of(picture, options), options.limits);
    return picture;
}

Image decode(const Picture& picture, const ImageOptions& options) {
    Progress progress(options.is_cancelled);
    Image image = picture.decode(progress);
    return options.apply_exif ? oriented(std::move(image), picture.orientation, progress) : image;
}

/// Calls `function`; an Error that it throws gets `name` in front of its message.
template <class Function>
auto with_name(const std::string& name, const Function& function) {
    try {
        return function();
    } catch (const Error& error) {
        throw Error(error.kind(), name + ": " + error.what());
    }
}

/// Checks the file against the limits and calls `use(codec)`; errors name the file and its format.
template <class Function>
auto with_codec(Bytes file, const std::string& name, const ImageOptions& options, const Function& use) {
    return with_name(name, [&] {
        check_file_bytes(file.size(), options.limits.max_file_bytes);
        const Recognised recognised = recognise_image(file);
        return with_name(std::string(recognised.name), [&] { return use(recognised.codec); });
    });
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> file, const std::string& name, const ImageOptions& options) {
    return with_codec(file, name, options,
                      [&](Codec codec) { return decode(open_within_limits(codec, file, options), options); });
}

ImageCost image_cost(std::span<const std::uint8_t> file, const std::string& name,
                     const ImageOptions& options) {
    return with_codec(file, name, options, [&](Codec codec) {
        return cost_of(open_within_limits(codec, file, options), options);
    });
}

Image load_image(const std::filesystem::path& path, const ImageOptions& options) {
    const std::string name = path.string();
    const std::vector<std::uint8_t> file = with_name(
        name, [&] { return read_bytes(path, options.limits.max_file_bytes, options.is_cancelled); });
    return decode_image(file, name, options);
}

Image read_image(std::istream& stream, const std::string& name, const ImageOptions& options) {
    const std::vector<std::uint8_t> file =
        with_name(name, [&] { return read_bytes(stream, options.limits.max_file_bytes); });
    return decode_image(file, name, options);
}

Image decode_image(std::span<const std::uint8_t> file, const std::string& name, const ImageLimits& limits) {
    return decode_image(file, name, ImageOptions{.limits = limits});
}

Image load_image(const std::filesystem::path& path, const ImageLimits& limits) {
    return load_image(path, ImageOptions{.limits = limits});
}

}  // namespace vgg19
