#include "python/extension/pictures.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "python/extension/arguments.h"
#include "python/extension/arrays.h"
#include "python/extension/interpreter.h"
#include "python/extension/interrupts.h"
#include "python/library/pictures.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

/// Reads without the interpreter's lock.
template <class Read>
Image decoded(MapSize input_size, const Read& read) {
    Interrupts interrupts;
    ImageOptions options = image_options(input_size);
    options.is_cancelled = [&] { return interrupts.is_cancelled(); };
    const Unlocked unlocked;
    return read(options);
}

Image decoded_bytes(std::span<const std::byte> file, MapSize input_size) {
    return decoded(input_size, [&](const ImageOptions& options) {
        return decode_image({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}, "the picture",
                            options);
    });
}

bool is_path(nb::handle object) {
    return nb::isinstance<nb::str>(object) || nb::hasattr(object, "__fspath__");
}

bool is_of_pillow(nb::handle object) {
    return nb::hasattr(object, "mode") && nb::hasattr(object, "tobytes") && nb::hasattr(object, "convert");
}

void require_bytes(std::size_t found, std::size_t expected) {
    if (found == expected) return;
    throw Error(ErrorKind::usage, "the picture: expected " + std::to_string(expected) +
                                      " bytes of an image, found " + std::to_string(found));
}

/// Pillow's own conversion of others to RGB cuts values off, or fails.
void require_8_bits(const std::string& mode) {
    constexpr std::array<std::string_view, 13> modes = {"1",    "L",    "LA",   "La",    "P",   "PA",  "RGB",
                                                        "RGBA", "RGBa", "RGBX", "YCbCr", "HSV", "CMYK"};
    if (std::find(modes.begin(), modes.end(), mode) != modes.end()) return;
    throw Error(ErrorKind::usage,
                "the picture: expected an image of Pillow with 8 bits per channel, or of mode "
                "I;16, found mode " +
                    mode + "; scale its values to 0 to 255 and convert(\"RGB\") it");
}

/// Gray of 16 bits, of which the high byte counts, as in files.
Image image_of_gray16(nb::handle image, const std::string& mode) {
    const bool is_big = mode == "I;16B" || (mode == "I;16N" && std::endian::native == std::endian::big);
    const auto [width, height] = nb::cast<std::pair<std::size_t, std::size_t>>(attribute(image, "size"));
    const auto bytes = nb::cast<nb::bytes>(called(image.attr("tobytes"), nb::tuple()));
    const std::span<const std::uint8_t> samples(static_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    require_bytes(samples.size(), width * height * 2);
    Image made{.rgb = std::vector<std::uint8_t>(width * height * 3), .width = width, .height = height};
    for (std::size_t i = 0; i < made.rgb.size(); ++i) made.rgb[i] = samples[i / 3 * 2 + (is_big ? 0 : 1)];
    return made;
}

bool is_transparent(nb::handle image, const std::string& mode) {
    return mode == "RGBA" || mode == "LA" || mode == "PA" || mode == "RGBa" || mode == "La" ||
           nb::cast<bool>(image.attr("info").attr("__contains__")("transparency"));
}

}  // namespace

Picture::Picture(const nb::ndarray<nb::ro>& pixels) {
    const std::size_t height = pixels.shape(0);
    const std::size_t width = pixels.shape(1);
    const auto* const first = static_cast<const std::uint8_t*>(pixels.data());
    const auto row = static_cast<std::ptrdiff_t>(pixels.stride(0));
    const auto column = static_cast<std::ptrdiff_t>(pixels.stride(1));
    const auto channel = static_cast<std::ptrdiff_t>(pixels.stride(2));
    if (channel == 1 && column == 3 && row >= static_cast<std::ptrdiff_t>(width) * 3) {
        pixels_ = pixels;
        view_ = {first, width, height, static_cast<std::size_t>(row)};
        return;
    }
    image_ = {.rgb = std::vector<std::uint8_t>(width * height * 3), .width = width, .height = height};
    std::uint8_t* to = image_.rgb.data();
    for (std::ptrdiff_t y = 0; std::cmp_less(y, height); ++y) {
        for (std::ptrdiff_t x = 0; std::cmp_less(x, width); ++x) {
            for (std::ptrdiff_t c = 0; c < 3; ++c) *to++ = first[y * row + x * column + c * channel];
        }
    }
    view_ = image_.view();
}

Picture Picture::of_pillow(nb::handle image) {
    const auto mode = nb::cast<std::string>(attribute(image, "mode"));
    if (mode.starts_with("I;16")) return Picture(image_of_gray16(image, mode));
    require_8_bits(mode);
    const bool transparent = is_transparent(image, mode);
    const char* const wanted = transparent ? "RGBA" : "RGB";
    const nb::object converted =
        mode == wanted ? nb::borrow(image) : called(image.attr("convert"), nb::make_tuple(wanted));
    const auto [width, height] = nb::cast<std::pair<std::size_t, std::size_t>>(attribute(converted, "size"));
    const auto bytes = nb::cast<nb::bytes>(called(converted.attr("tobytes"), nb::tuple()));
    const std::span<const std::uint8_t> samples(static_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    const std::size_t expected = width * height * (transparent ? 4 : 3);
    require_bytes(samples.size(), expected);
    if (transparent) return Picture(over_white(samples, width, height));
    return Picture(Image{.rgb = {samples.begin(), samples.end()}, .width = width, .height = height});
}

Picture Picture::of(nb::handle object, MapSize input_size) {
    if (is_path(object)) {
        const auto path = argument<std::filesystem::path>(object, "the picture");
        return Picture(
            decoded(input_size, [&](const ImageOptions& options) { return load_image(path, options); }));
    }
    if (nb::isinstance<nb::bytes>(object)) {
        const auto bytes = nb::cast<nb::bytes>(object);
        return Picture(
            decoded_bytes({static_cast<const std::byte*>(bytes.data()), bytes.size()}, input_size));
    }
    if (is_of_pillow(object)) return of_pillow(object);
    require_values_in_memory(object, "the picture");
    const nb::ndarray<nb::ro> array = any_array(object);
    if (!array.is_valid()) {
        const auto name = nb::cast<std::string>(nb::handle(object.type()).attr("__name__"));
        throw nb::type_error(
            ("the picture: expected a path, a file's bytes, a uint8 array (height, width, 3) "
             "or an image of Pillow, found " +
             name)
                .c_str());
    }
    const bool is_of_bytes =
        array.dtype() == nb::dtype<std::uint8_t>() && array.device_type() == nb::device::cpu::value;
    if (is_of_bytes && array.ndim() == 1 && (array.stride(0) == 1 || array.size() <= 1)) {
        return Picture(
            decoded_bytes({static_cast<const std::byte*>(array.data()), array.size()}, input_size));
    }
    if (is_of_bytes && array.ndim() == 3 && array.shape(2) == 3) return Picture(array);
    throw Error(ErrorKind::usage,
                "the picture: expected uint8 (height, width, 3), found " + array_text(array));
}

}  // namespace vgg19::python
