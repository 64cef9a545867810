#include "engine/image/signatures.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/image/failure.h"

namespace vgg19 {
namespace {

using namespace std::string_view_literals;

std::string_view text_of(Bytes file) {
    return {reinterpret_cast<const char*>(file.data()), file.size()};
}

struct Signature {
    std::string_view bytes;
    std::string_view name;
    Codec codec;
};

constexpr std::array<Signature, 6> readable = {{{"\xFF\xD8\xFF"sv, "JPEG", Codec::jpeg},
                                                {"\x89PNG\r\n\x1A\n"sv, "PNG", Codec::png},
                                                {"BM"sv, "BMP", Codec::bmp},
                                                {"GIF8"sv, "GIF", Codec::gif},
                                                {"P5"sv, "PGM", Codec::pnm},
                                                {"P6"sv, "PPM", Codec::pnm}}};

enum class Advice : unsigned char { convert, extract, fetch, unpack, beside, decode, none };

struct Foreign {
    std::size_t offset;
    std::string_view bytes;
    std::string_view found;
    Advice advice = Advice::convert;
};

/// Of signatures with a common beginning, the longer comes first.
constexpr std::array<Foreign, 74> foreign = {
    {{4, "ftypavi"sv, "an AVIF image"},
     {4, "ftyphe"sv, "a HEIC image"},
     {4, "ftypmif1"sv, "a HEIF (HEIC or AVIF) image"},
     {4, "ftypmsf1"sv, "a HEIF (HEIC or AVIF) image"},
     {4, "ftypjp"sv, "a JPEG 2000 image"},
     {4, "ftypcrx"sv, "a camera raw image (CR3)"},
     {4, "ftyp"sv, "a video (MP4 or QuickTime)", Advice::extract},
     {4, "moov"sv, "a video (QuickTime)", Advice::extract},
     {4, "mdat"sv, "a video (QuickTime)", Advice::extract},
     {4, "jP  \r\n\x87\n"sv, "a JPEG 2000 image"},
     {4, "JXL \r\n\x87\n"sv, "a JPEG XL image"},
     {0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 codestream"},
     {0, "\xFF\x0A"sv, "a JPEG XL image"},
     {8, "CR\x02"sv, "a camera raw image (CR2)"},
     {6, "HEAPCCDR"sv, "a camera raw image (CRW)"},
     {0, "FUJIFILMCCD-RAW"sv, "a camera raw image (RAF)"},
     {0, "IIRO"sv, "a camera raw image (ORF)"},
     {0, "IIRS"sv, "a camera raw image (ORF)"},
     {0, "MMOR"sv, "a camera raw image (ORF)"},
     {0, "IIU\0"sv, "a camera raw image (RW2)"},
     {0, "FOVb"sv, "a camera raw image (X3F)"},
     {0, "II\xBC"sv, "a JPEG XR image"},
     {0, "II*\0"sv, "a TIFF or camera raw image"},
     {0, "MM\0*"sv, "a TIFF or camera raw image"},
     {0, "II+\0"sv, "a TIFF image"},
     {0, "MM\0+"sv, "a TIFF image"},
     {0, "8BPS"sv, "a Photoshop image (PSD)"},
     {0, "gimp xcf"sv, "a GIMP image (XCF)"},
     {0, "\0\0\2\0\0\0\0\0"sv, "a TGA image"},
     {0, "\0\0\3\0\0\0\0\0"sv, "a TGA image"},
     {0, "\0\0\x0A\0\0\0\0\0"sv, "a TGA image"},
     {0, "\0\0\x0B\0\0\0\0\0"sv, "a TGA image"},
     {0, "\0\0\1\0"sv, "an icon (ICO)"},
     {0, "\0\0\2\0"sv, "a cursor (CUR)"},
     {0, "\0\5\x16\7"sv, "macOS's metadata of a file (AppleDouble, ._NAME)", Advice::beside},
     {0, "data:image/"sv, "a picture in a data: URL", Advice::decode},
     {0, "/9j/"sv, "a JPEG in Base64", Advice::decode},
     {0, "iVBORw0KGgo"sv, "a PNG in Base64", Advice::decode},
     {0, "icns"sv, "an icon (ICNS)"},
     {0, "v/1\1"sv, "an OpenEXR image"},
     {0, "#?RADIANCE"sv, "a Radiance HDR image"},
     {0, "#?RGBE"sv, "a Radiance HDR image"},
     {0, "DDS "sv, "a DDS texture"},
     {0, "\xABKTX"sv, "a KTX texture"},
     {0, "qoif"sv, "a QOI image"},
     {0, "farbfeld"sv, "a farbfeld image"},
     {0, "FLIF"sv, "a FLIF image"},
     {0, "BPG\xFB"sv, "a BPG image"},
     {0, "\x8AMNG"sv, "an MNG animation"},
     {0, "\x8BJNG"sv, "a JNG image"},
     {0, "\x59\xA6\x6A\x95"sv, "a Sun raster image"},
     {0, "\x01\xDA\0\x01"sv, "an SGI image"},
     {0, "\x01\xDA\x01\x01"sv, "an SGI image"},
     {0, "\x0A\x05\x01"sv, "a PCX image"},
     {0, "SIMPLE  ="sv, "a FITS image"},
     {0, "AT&TFORM"sv, "a DjVu document"},
     {0, "\xC5\xD0\xD3\xC6"sv, "a PostScript drawing (EPS)"},
     {0, "%!PS"sv, "a PostScript drawing"},
     {0, "%PDF"sv, "a PDF document"},
     {0, "P1"sv, "a PBM image (text)"},
     {0, "P2"sv, "a PGM image (text)"},
     {0, "P3"sv, "a PPM image (text)"},
     {0, "P4"sv, "a PBM image"},
     {0, "P7"sv, "a PAM image"},
     {0, "Pf"sv, "a PFM image"},
     {0, "PF"sv, "a PFM image"},
     {128, "DICM"sv, "a DICOM image"},
     {0, "\x1A\x45\xDF\xA3"sv, "a video (Matroska or WebM)", Advice::extract},
     {8, "AVI "sv, "a video (AVI)", Advice::extract},
     {0, "PK\x03\x04"sv, "a zip archive", Advice::unpack},
     {0, "\x1F\x8B"sv, "a gzip file", Advice::unpack},
     {0, "\x93NUMPY"sv, "a NumPy array", Advice::none},
     {0, "\x89HDF"sv, "an HDF5 file", Advice::none},
     {0, "version https://git-lfs"sv, "a Git LFS pointer", Advice::fetch}}};

std::string_view advice_text(Advice advice) {
    switch (advice) {
        case Advice::convert:
            return "; convert it to JPEG or PNG first";
        case Advice::extract:
            return "; save a frame of it as JPEG or PNG first";
        case Advice::fetch:
            return " in place of a picture; `git lfs pull` fetches the picture itself";
        case Advice::unpack:
            return "; unpack it first";
        case Advice::beside:
            return "; the picture is the file without ._ in its name";
        case Advice::decode:
            return "; decode it first (`base64 -d`)";
        case Advice::none:
            break;
    }
    return "";
}

std::string first_bytes(Bytes file) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : file.first(std::min<std::size_t>(file.size(), 8))) {
        text += {' ', digits[byte / 16U], digits[byte % 16U]};
    }
    return text;
}

bool is_webp(std::string_view file) {
    return file.starts_with("RIFF") && file.substr(std::min<std::size_t>(file.size(), 8)).starts_with("WEBP");
}

char lower_case(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// The lower-case name of the first element of an XML or HTML text, after declarations, comments and white
/// space; empty for other files.
std::string first_element(std::string_view file) {
    constexpr std::size_t most = 4096;
    std::string lower(file.substr(0, most));
    std::transform(lower.begin(), lower.end(), lower.begin(), lower_case);
    std::string_view text = lower;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // UTF-8's byte order mark
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
        if (!text.starts_with('<')) return "";
        if (text.starts_with("<!doctype html")) return "html";
        const bool is_comment = text.starts_with("<!--");
        if (!is_comment && !text.starts_with("<?") && !text.starts_with("<!")) break;
        const std::string_view end = is_comment ? "-->" : ">";
        const std::size_t at = text.find(end);
        if (at == std::string_view::npos) return "";
        text.remove_prefix(at + end.size());
    }
    return std::string(text.substr(1, std::min(text.find_first_of(" \t\r\n/>"), text.size()) - 1));
}

[[noreturn]] void refuse(std::string_view found, std::string_view advice) {
    fail_image("expected a " + readable_formats() + ", found " + std::string(found) + std::string(advice));
}

bool is_space_at(std::string_view text, std::size_t offset) {
    return offset < text.size() && std::string_view(" \t\r\n").find(text[offset]) != std::string_view::npos;
}

void refuse_foreign(std::string_view text) {
    for (const Foreign& each : foreign) {
        if (text.size() < each.offset || !text.substr(each.offset).starts_with(each.bytes)) continue;
        // Netpbm's two letters may also begin an ordinary text.
        if (each.bytes.size() == 2 && each.bytes[0] == 'P' && !is_space_at(text, 2)) continue;
        refuse(each.found, advice_text(each.advice));
    }
    const std::string element = first_element(text);
    if (element == "svg" || element == "svg:svg") refuse("an SVG drawing", advice_text(Advice::convert));
    if (element == "html") refuse("an HTML page", " in place of a picture; is its address correct?");
    if (!element.empty()) refuse("an XML file", "");
}

}  // namespace

Recognised recognise_image(Bytes file) {
    if (file.empty()) fail_image("expected an image, found an empty file");
    const std::string_view text = text_of(file);
    for (const Signature& signature : readable) {
        if (text.starts_with(signature.bytes)) return {signature.codec, signature.name};
    }
    if (is_webp(text)) {
        if (VGG19_HAS_WEBP != 0) return {Codec::webp, "WebP"};
        refuse("a WebP image, which this build does not read because it was built without libwebp",
               advice_text(Advice::convert));
    }
    refuse_foreign(text);
    refuse("a file that starts with", first_bytes(file));
}

}  // namespace vgg19
