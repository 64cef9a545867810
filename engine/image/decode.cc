#include <istream>
#include <string>
#include <vector>

#include "engine/image/bmp.h"
#include "engine/image/bytes.h"
#include "engine/image/exif.h"
#include "engine/image/file_bytes.h"
#include "engine/image/jpeg.h"
#include "engine/image/png_chunks.h"
#include "engine/image/pnm.h"
#include "engine/image/signatures.h"
#include "engine/image/sizes.h"
#include "engine/image/stb.h"
#if VGG19_HAS_WEBP
#include "engine/image/webp.h"
#endif
#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19 {
namespace {

Image decode_with_stb(Bytes file, const PixelSize& size, const ImageOptions& options) {
    check_size(size, options.limits);
    return stb::to_rgb(stb::decode(file, size));
}

Image decode_png(Bytes file, const ImageOptions& options) {
    const PngChunks chunks = read_png_chunks(file);
    const std::vector<std::uint8_t> copy =
        chunks.discarded.empty() ? std::vector<std::uint8_t>() : without_discarded(file, chunks);
    Image image = decode_with_stb(copy.empty() ? file : Bytes(copy), chunks.size, options);
    return options.apply_exif ? oriented(std::move(image), exif_orientation(chunks.exif, chunks.xmp)) : image;
}

Image decode_format(Codec codec, Bytes file, const ImageOptions& options) {
    switch (codec) {
        case Codec::jpeg:
            return decode_jpeg(file, options);
        case Codec::png:
            return decode_png(file, options);
        case Codec::pnm: {
            const PnmHeader header = read_pnm_header(file);
            check_size({header.width, header.height}, options.limits);
            return decode_pnm(file, header);
        }
        case Codec::bmp: {
            const BmpHeader header = read_bmp_header(file);
            check_size(header.size, options.limits);
            return decode_bmp(file, header);
        }
        case Codec::webp:
#if VGG19_HAS_WEBP
            return decode_webp(file, options);
#endif
        case Codec::gif:
        case Codec::none:
            break;
    }
    return decode_with_stb(file, stb::read_size(file), options);
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

}  // namespace

Image decode_image(std::span<const std::uint8_t> file, const std::string& name, const ImageOptions& options) {
    return with_name(name, [&] {
        check_file_bytes(file.size(), options.limits.max_file_bytes);
        const Recognised recognised = recognise_image(file);
        return with_name(std::string(recognised.name),
                         [&] { return decode_format(recognised.codec, file, options); });
    });
}

Image load_image(const std::filesystem::path& path, const ImageOptions& options) {
    const std::string name = path.string();
    const std::vector<std::uint8_t> file =
        with_name(name, [&] { return read_bytes(path, options.limits.max_file_bytes); });
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
