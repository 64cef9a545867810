#include "engine/image/formats.h"

#include <algorithm>
#include <array>
#include <vector>

namespace vgg19 {
namespace {

using Extension = std::string_view;

constexpr std::array<Extension, 5> jpeg = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"};
constexpr std::array<Extension, 2> png = {".png", ".apng"};
constexpr std::array<Extension, 2> bmp = {".bmp", ".dib"};
constexpr std::array<Extension, 1> gif = {".gif"};
constexpr std::array<Extension, 1> webp = {".webp"};
constexpr std::array<Extension, 1> pgm = {".pgm"};
constexpr std::array<Extension, 2> ppm = {".ppm", ".pnm"};
constexpr std::array<Extension, 2> avif = {".avif", ".avifs"};
constexpr std::array<Extension, 3> heic = {".heic", ".heif", ".hif"};
constexpr std::array<Extension, 2> tiff = {".tif", ".tiff"};
constexpr std::array<Extension, 6> jpeg_2000 = {".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"};
constexpr std::array<Extension, 1> jpeg_xl = {".jxl"};
constexpr std::array<Extension, 2> svg = {".svg", ".svgz"};
constexpr std::array<Extension, 1> pdf = {".pdf"};
constexpr std::array<Extension, 13> raw = {".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw",
                                           ".sr2", ".raf", ".orf", ".rw2", ".pef", ".srw"};
constexpr std::array<Extension, 2> ico = {".ico", ".cur"};
constexpr std::array<Extension, 2> psd = {".psd", ".psb"};
constexpr std::array<Extension, 1> tga = {".tga"};
constexpr std::array<Extension, 1> pcx = {".pcx"};
constexpr std::array<Extension, 3> pbm = {".pbm", ".pam", ".pfm"};
constexpr std::array<Extension, 1> exr = {".exr"};
constexpr std::array<Extension, 1> hdr = {".hdr"};
constexpr std::array<Extension, 1> dds = {".dds"};
constexpr std::array<Extension, 1> qoi = {".qoi"};
constexpr std::array<Extension, 1> xcf = {".xcf"};
constexpr std::array<Extension, 2> dicom = {".dcm", ".dicom"};

constexpr std::array<ImageFormat, 26> formats = {{{"JPEG", jpeg, Codec::jpeg},
                                                  {"PNG", png, Codec::png},
                                                  {"BMP", bmp, Codec::bmp},
                                                  {"GIF", gif, Codec::gif},
                                                  {"WebP", webp, Codec::webp},
                                                  {"PGM", pgm, Codec::pnm},
                                                  {"PPM", ppm, Codec::pnm},
                                                  {"AVIF", avif},
                                                  {"HEIC", heic},
                                                  {"TIFF", tiff},
                                                  {"JPEG 2000", jpeg_2000},
                                                  {"JPEG XL", jpeg_xl},
                                                  {"SVG", svg},
                                                  {"PDF", pdf},
                                                  {"camera raw", raw},
                                                  {"ICO", ico},
                                                  {"Photoshop", psd},
                                                  {"TGA", tga},
                                                  {"PCX", pcx},
                                                  {"PBM", pbm},
                                                  {"OpenEXR", exr},
                                                  {"Radiance HDR", hdr},
                                                  {"DDS", dds},
                                                  {"QOI", qoi},
                                                  {"GIMP", xcf},
                                                  {"DICOM", dicom}}};

}  // namespace

bool ImageFormat::is_readable() const {
    return codec != Codec::none && (codec != Codec::webp || VGG19_HAS_WEBP != 0);
}

std::span<const ImageFormat> image_formats() {
    return formats;
}

const ImageFormat* format_of_extension(std::string_view extension) {
    const auto same_letter = [](char known, char given) {
        return known == (given >= 'A' && given <= 'Z' ? static_cast<char>(given - 'A' + 'a') : given);
    };
    const auto is_it = [&](Extension known) {
        return std::equal(known.begin(), known.end(), extension.begin(), extension.end(), same_letter);
    };
    for (const ImageFormat& format : formats) {
        if (std::any_of(format.extensions.begin(), format.extensions.end(), is_it)) return &format;
    }
    return nullptr;
}

std::string readable_formats() {
    std::vector<std::string_view> names;
    for (const ImageFormat& format : formats) {
        if (format.is_readable()) names.push_back(format.name);
    }
    std::string text(names.front());
    for (std::size_t i = 1; i < names.size(); ++i) {
        text += i + 1 == names.size() ? " or " : ", ";
        text += names[i];
    }
    return text;
}

}  // namespace vgg19
