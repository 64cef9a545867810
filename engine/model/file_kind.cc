#include "engine/model/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "engine/model/mapped_file.h"

namespace vgg19::model {

namespace {

using namespace std::string_view_literals;

// Advice that several kinds share.
constexpr auto convert_it = "`vgg19 convert FILE -o MODEL.safetensors` makes a model of it"sv;
constexpr auto as_picture = "a model is needed here; give pictures as separate arguments"sv;
constexpr auto unpack_it = "unpack it first"sv;
constexpr auto from_pytorch =
    "load it with the program that wrote it, and save the weights with PyTorch or as safetensors, under "
    "torchvision's names"sv;
constexpr auto needs_protobuf =
    "this vgg19 was built without protobuf, which it needs to read such files: install protobuf's "
    "development files "
    "and compiler, and build it with -DVGG19_PROTOBUF=ON"sv;
constexpr auto download_again =
    "the download returned a web page instead of the file; download the file itself"sv;
constexpr auto no_weights = "there are no weights in it"sv;

/// The bytes that files of a kind have at an offset.
struct Signature {
    std::size_t offset;
    std::string_view bytes;
    FileKind kind;
    std::string_view what;
    std::string_view advice;
};

constexpr std::array signatures = {
    Signature{0, "PK\x03\x04"sv, FileKind::zip, "a zip file, as PyTorch's .pth and .pt are", convert_it},
    Signature{0, "version https://git-lfs"sv, FileKind::other, "a pointer of Git LFS",
              "the file itself was not downloaded; `git lfs pull` fetches it"},
    Signature{0, "\xff\xd8\xff"sv, FileKind::other, "a picture (JPEG)", as_picture},
    Signature{0, "\x89PNG\r\n\x1a\n"sv, FileKind::other, "a picture (PNG)", as_picture},
    Signature{0, "GIF8"sv, FileKind::other, "a picture (GIF)", as_picture},
    Signature{0, "BM"sv, FileKind::other, "a picture (BMP)", as_picture},
    Signature{8, "WEBP"sv, FileKind::other, "a picture (WebP)", as_picture},
    Signature{0, "II*\0"sv, FileKind::other, "a picture (TIFF)", as_picture},
    Signature{0, "MM\0*"sv, FileKind::other, "a picture (TIFF)", as_picture},
    Signature{0, "II+\0"sv, FileKind::other, "a picture (TIFF)", as_picture},
    Signature{4, "ftypavif"sv, FileKind::other, "a picture (AVIF)", as_picture},
    Signature{4, "ftypavis"sv, FileKind::other, "a picture (AVIF)", as_picture},
    Signature{4, "ftyphei"sv, FileKind::other, "a picture (HEIC)", as_picture},
    Signature{4, "ftyphev"sv, FileKind::other, "a picture (HEIC)", as_picture},
    Signature{4, "ftypmif1"sv, FileKind::other, "a picture (HEIF)", as_picture},
    Signature{4, "ftypmsf1"sv, FileKind::other, "a picture (HEIF)", as_picture},
    Signature{4, "ftyp"sv, FileKind::other, "a video (MP4)", as_picture},
    Signature{0, "\xff\x0a"sv, FileKind::other, "a picture (JPEG XL)", as_picture},
    Signature{4, "JXL \r\n\x87\n"sv, FileKind::other, "a picture (JPEG XL)", as_picture},
    Signature{4, "jP  \r\n\x87\n"sv, FileKind::other, "a picture (JPEG 2000)", as_picture},
    Signature{0, "\xff\x4f\xff\x51"sv, FileKind::other, "a picture (JPEG 2000)", as_picture},
    Signature{0, "8BPS"sv, FileKind::other, "a picture (Photoshop)", as_picture},
    Signature{0, "qoif"sv, FileKind::other, "a picture (QOI)", as_picture},
    Signature{0, "#?RADIANCE"sv, FileKind::other, "a picture (Radiance HDR)", as_picture},
    Signature{0, "v/1\x01"sv, FileKind::other, "a picture (OpenEXR)", as_picture},
    Signature{0, "\0\0\x01\0"sv, FileKind::other, "a picture (icon)", as_picture},
    Signature{0, "\x1f\x8b"sv, FileKind::other, "a gzip file", unpack_it},
    Signature{0, "BZh"sv, FileKind::other, "a bzip2 file", unpack_it},
    Signature{0,
              "\xfd"
              "7zXZ\0"sv,
              FileKind::other, "an xz file", unpack_it},
    Signature{0, "\x28\xb5\x2f\xfd"sv, FileKind::zstandard, "a Zstandard file", unpack_it},
    Signature{0, "7z\xbc\xaf\x27\x1c"sv, FileKind::other, "a 7-Zip archive", unpack_it},
    Signature{0, "Rar!"sv, FileKind::other, "a RAR archive", unpack_it},
    Signature{0, "PK\x05\x06"sv, FileKind::other, "an empty zip file", no_weights},
    Signature{0, "\x89HDF\r\n\x1a\n"sv, FileKind::hdf5, "an HDF5 file, as Keras's .h5 is", convert_it},
    Signature{0, "\x93NUMPY"sv, FileKind::other, "an array of NumPy (.npy)", from_pytorch},
    Signature{4, "TFL3"sv, FileKind::other, "a model of TensorFlow Lite", from_pytorch},
    Signature{0, "ftrt"sv, FileKind::other, "an engine of TensorRT", from_pytorch},
    Signature{0, "GGUF"sv, FileKind::other, "a GGUF file", from_pytorch},
    Signature{0, "\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"sv, FileKind::other, "a file of Torch 7 (Lua)",
              from_pytorch},
    Signature{0, "MATLAB "sv, FileKind::other, "a file of MATLAB, as MatConvNet's models are", from_pytorch},
    Signature{0, "\x12\x01\0\0\0\0\0\0"sv, FileKind::other, "a file of MXNet (.params)", from_pytorch},
    Signature{0, "%PDF"sv, FileKind::other, "a PDF document", no_weights},
    Signature{0,
              "\x7f"
              "ELF"sv,
              FileKind::other, "a program", no_weights},

    Signature{0, "PAR1"sv, FileKind::other, "a Parquet file", no_weights},
    Signature{0, "SQLite format 3"sv, FileKind::other, "an SQLite database", no_weights},
};

constexpr Signature safetensors = {8, "{"sv, FileKind::safetensors, "a safetensors file", convert_it};
constexpr Signature pickle = {0, {}, FileKind::pickle, "a pickle, as PyTorch's older .pth is", convert_it};
constexpr Signature old_torch = {0,
                                 {},
                                 FileKind::other,
                                 "a tar archive of PyTorch 0.1",
                                 "load it with torch.load and save its state_dict() with torch.save"};
constexpr Signature tar = {0, {}, FileKind::other, "a tar archive", unpack_it};
constexpr Signature onnx = {0, {}, FileKind::onnx, "a model of ONNX", convert_it};
constexpr Signature core_ml = {0, {}, FileKind::other, "a model of Core ML", from_pytorch};
constexpr Signature zeros = {0, {}, FileKind::other, "a file of zeros", "was the download cut off?"};
constexpr Signature tensorflow = {0, {}, FileKind::other, "a model of TensorFlow", from_pytorch};
constexpr Signature caffe = {0, {}, FileKind::caffe, "a model of Caffe (.caffemodel)", convert_it};
constexpr Signature netpbm = {0, {}, FileKind::other, "a picture (PNM)", as_picture};
constexpr Signature html = {0, {}, FileKind::other, "a web page (HTML)", download_again};
constexpr Signature svg = {0, {}, FileKind::other, "a picture (SVG)", as_picture};
constexpr Signature xml = {0, {}, FileKind::other, "a text (XML)", no_weights};
constexpr Signature sharded = {0,
                               {},
                               FileKind::other,
                               "the index of weights in several files",
                               "give the file that has them all, or load the parts and save them as one"};
constexpr Signature json = {0, {}, FileKind::other, "a text (JSON)", no_weights};
constexpr Signature text = {0, {}, FileKind::other, "a text", no_weights};
constexpr Signature empty = {0, {}, FileKind::other, "an empty file", "was the download cut off?"};

std::string lower_case(std::string_view characters) {
    std::string result(characters);
    for (char& character : result) {
        if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
    }
    return result;
}

bool is_printable(char character) {
    return (character >= ' ' && character <= '~') || character == '\n' || character == '\r' ||
           character == '\t';
}

bool is_name(std::string_view characters) {
    return !characters.empty() && std::all_of(characters.begin(), characters.end(), [](char character) {
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
               (character >= '0' && character <= '9') || character == '_' || character == '.';
    });
}

/// The header must begin with '{', perhaps after white space, and have a plausible length, since texts and
/// pictures may have a '{' there too.
bool is_safetensors(std::string_view content) {
    constexpr std::size_t length_bytes = 8;
    constexpr std::size_t most_white_space = 100;
    if (content.size() <= length_bytes) return false;
    std::uint64_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) {
        length = length << 8U | static_cast<unsigned char>(content[i]);
    }
    const std::string_view header = content.substr(length_bytes);
    const std::size_t start = header.substr(0, most_white_space).find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos || header[start] != '{') return false;
    return start == 0 ? length >> 32U == 0 : length <= header.size();
}

/// A pickle begins with its protocol or, in protocols 0 and 1, with one of the usual first opcodes.
bool is_pickle(std::string_view content) {
    if (content.size() >= 2 && content[0] == '\x80') return static_cast<unsigned char>(content[1]) <= 5;
    for (const std::string_view start :
         {"(dp"sv, "(lp"sv, "}q\0"sv, "]q\0"sv, "L119547037146038801333356L"sv}) {
        if (content.starts_with(start)) return true;
    }
    if (!content.starts_with('c')) return false;  // the opcode GLOBAL, followed by two names, one per line
    const std::string_view lines = content.substr(1, 200);
    const std::size_t first = lines.find('\n');
    const std::size_t second = first == std::string_view::npos ? first : lines.find('\n', first + 1);
    return second != std::string_view::npos && is_name(lines.substr(0, first)) &&
           is_name(lines.substr(first + 1, second - first - 1));
}

const Signature* kind_of_tar(std::string_view content) {
    constexpr std::size_t magic = 257;
    if (content.size() < magic + 5 || content.substr(magic, 5) != "ustar") return nullptr;
    for (const std::string_view member : {"pickle"sv, "tensors"sv, "storages"sv, "sys_info"sv}) {
        if (content.starts_with(member) && content[member.size()] == '\0') return &old_torch;
    }
    return &tar;
}

/// Protocol-buffer files have no signature, so that only their first fields tell them apart.
const Signature* kind_of_message(std::string_view content) {
    if (content.size() < 4) return nullptr;
    const auto second = static_cast<unsigned char>(content[1]);
    if (content[0] == '\x08') {  // a version, then the producer, the graph, …
        const bool field =
            std::string_view("\x12\x1a\x22\x2a\x32\x3a\x42").find(content[2]) != std::string_view::npos;
        if (field && second >= 2 && second < 32) {
            // This field is the producer's name in ONNX and a message in Core ML.
            const bool producer = content[2] != '\x12' ||
                                  (content.size() > 4 && is_printable(content[4]) && content[4] != '\n');
            return producer ? &onnx : &core_ml;
        }
        return second == 1 && content[2] == '\x12' ? &tensorflow : nullptr;
    }
    if (content[0] != '\x0a' || second < 2 || second > 127) return nullptr;
    if (content[2] == '\x0a') return &tensorflow;  // a node of the graph, which begins with its name
    if (content.size() < second + 4U) return nullptr;
    const std::string_view inside = content.substr(2, second);
    const std::string_view after = content.substr(2 + second, 2);
    const bool layers = after[0] == '\x12' || after[0] == '\x1a' || after == "\xa2\x06";
    return layers && std::all_of(inside.begin(), inside.end(), is_printable) ? &caffe : nullptr;
}

const Signature* kind_of_text(std::string_view content) {
    constexpr std::size_t looked_at = 4096;
    constexpr std::size_t most_white_space = std::size_t{1} << 20U;
    const std::size_t start = content.substr(0, most_white_space).find_first_not_of("\xef\xbb\xbf \t\r\n");
    if (start == std::string_view::npos) return nullptr;
    const std::string head = lower_case(content.substr(start, looked_at));
    for (const std::string_view tag : {"<!doctype html"sv, "<html"sv, "<head"sv, "<body"sv, "<script"sv}) {
        if (head.starts_with(tag)) return &html;
    }
    if (head.starts_with("<svg")) return &svg;
    if (head.starts_with("<?xml") || head.starts_with("<!--")) {
        if (head.find("<html") != std::string::npos) return &html;
        return head.find("<svg") != std::string::npos ? &svg : &xml;
    }
    const bool is_text = std::all_of(head.begin(), head.end(), [](char character) {
        return is_printable(character) || static_cast<unsigned char>(character) >= 0x80;
    });
    if (!is_text) return nullptr;
    if (head.starts_with('{') || head.starts_with('[')) {
        return content.substr(0, std::size_t{1} << 20U).find("\"weight_map\"") != std::string_view::npos
                   ? &sharded
                   : &json;
    }
    // A few bytes tell nothing, unless all are letters: "Not Found".
    const bool is_ascii = std::all_of(head.begin(), head.end(), is_printable);
    return content.size() >= (is_ascii ? 6U : 16U) ? &text : nullptr;
}

/// nullptr if the kind is unknown.
const Signature* find_kind(std::span<const std::byte> file) {
    const std::string_view content = as_text(file);
    if (content.empty()) return &empty;
    if (is_safetensors(content)) return &safetensors;
    for (const Signature& signature : signatures) {
        if (content.size() >= signature.offset &&
            content.substr(signature.offset).starts_with(signature.bytes)) {
            return &signature;
        }
    }
    if (content[0] == 'P' && content.size() > 2 && content[1] >= '1' && content[1] <= '7' &&
        std::string_view(" \t\r\n#").find(content[2]) != std::string_view::npos) {
        return &netpbm;
    }
    constexpr std::size_t looked_at = 4096;
    const std::string_view start = content.substr(0, looked_at);
    if (start.size() >= 16 && start.find_first_not_of('\0') == std::string_view::npos) return &zeros;
    if (is_pickle(content)) return &pickle;
    if (const Signature* found = kind_of_tar(content)) return found;
    if (const Signature* found = kind_of_message(content)) return found;
    return kind_of_text(content);
}

std::string first_bytes(std::span<const std::byte> file) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "a file that begins with bytes";
    for (const std::byte byte : file.first(std::min<std::size_t>(file.size(), 8))) {
        const auto value = std::to_integer<unsigned>(byte);
        result += {' ', digits[value / 16], digits[value % 16]};
    }
    return result;
}

}  // namespace

FileKind kind_of_file(std::span<const std::byte> file) {
    const Signature* found = find_kind(file);
    return found == nullptr ? FileKind::unknown : found->kind;
}

std::string describe_file_for_model(std::span<const std::byte> file) {
    const Signature* found = find_kind(file);
    if (found == nullptr) return first_bytes(file);
    return std::string(found->what) + "; " + std::string(found->advice);
}

std::string describe_file_for_import(std::span<const std::byte> file) {
    const Signature* found = find_kind(file);
    if (found == nullptr) return first_bytes(file);
    std::string_view advice = found->advice == as_picture ? no_weights : found->advice;
    if (found->kind == FileKind::onnx || found->kind == FileKind::caffe) advice = needs_protobuf;
    if (found->kind == FileKind::hdf5) advice = needs_hdf5;
    return std::string(found->what) + "; " + std::string(advice);
}

}  // namespace vgg19::model
