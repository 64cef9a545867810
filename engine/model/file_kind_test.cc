#include "engine/model/file_kind.h"

#include <doctest/doctest.h>

#include <map>
#include <span>
#include <string>

#include "engine/testing/error_of.h"

namespace vgg19::model {

namespace {

using namespace std::string_literals;  // for texts that contain zero bytes
using vgg19::testing::Containing;

std::string described(const std::string& content) {
    return describe_file_for_model(std::as_bytes(std::span(content)));
}
std::string for_import(const std::string& content) {
    return describe_file_for_import(std::as_bytes(std::span(content)));
}
FileKind kind(const std::string& content) {
    return kind_of_file(std::as_bytes(std::span(content)));
}

/// The first header of a tar archive.
std::string tar(const std::string& member) {
    std::string header(512, '\0');
    header.replace(0, member.size(), member);
    return header.replace(257, 5, "ustar");
}

TEST_CASE("the error for files that are not models names their kind and what to do") {
    const std::map<std::string, std::string> cases = {
        {"PK\3\4"s, "a zip file, as PyTorch's .pth and .pt are; `vgg19 convert FILE -o MODEL.safetensors`"},
        {"\x80\2\x8a\nl\xfc\x9c"s, "a pickle, as PyTorch's older .pth is; `vgg19 convert"},
        {"\x80\4\x95"s, "a pickle"},
        {"ccollections\nOrderedDict\n(tR."s, "a pickle"},
        {"(dp0\n."s, "a pickle"},
        {"}q\0."s, "a pickle"},
        {"L119547037146038801333356L\n."s, "a pickle"},
        {"version https://git-lfs/spec/v1\noid sha256:"s,
         "a pointer of Git LFS; the file itself was not "
         "downloaded; `git lfs pull`"},
        {"\xff\xd8\xff\xe0"s, "a picture (JPEG); a model is needed here"},
        {"\x89PNG\r\n\x1a\n"s, "a picture (PNG)"},
        {"GIF89a"s, "a picture (GIF)"},
        {"BM6\0"s, "a picture (BMP)"},
        {"RIFF\0\0\0\0WEBPVP8 "s, "a picture (WebP)"},
        {"II*\0"s, "a picture (TIFF)"},
        {"MM\0*"s, "a picture (TIFF)"},
        {"\0\0\0\x1c"s
         "ftypavif"s,
         "a picture (AVIF)"},
        {"\0\0\0\x18"s
         "ftypheic"s,
         "a picture (HEIC)"},
        {"\0\0\0\x18"s
         "ftypmif1"s,
         "a picture (HEIF)"},
        {"\0\0\0\x20"s
         "ftypisom"s,
         "a video (MP4)"},
        {"\xff\x0a"s, "a picture (JPEG XL)"},
        {"\0\0\0\x0cjP  \r\n\x87\n"s, "a picture (JPEG 2000)"},
        {"P6\n2 2\n255\n"s, "a picture (PNM)"},
        {"<svg xmlns="s, "a picture (SVG)"},
        {"qoif\0\0"s, "a picture (QOI)"},
        {"\x1f\x8b\x08"s, "a gzip file; unpack it first"},
        {"BZh9"s, "a bzip2 file"},
        {"\xfd"s
         "7zXZ\0"s,
         "an xz file"},
        {"\x28\xb5\x2f\xfd"s, "a Zstandard file"},
        {"7z\xbc\xaf\x27\x1c"s, "a 7-Zip archive"},
        {"PK\5\6"s, "an empty zip file"},
        {tar("model.pth"), "a tar archive; unpack it first"},
        {tar("pickle"), "a tar archive of PyTorch 0.1; load it with torch.load"},
        {tar("sys_info"), "a tar archive of PyTorch 0.1"},
        {"\x89HDF\r\n\x1a\n"s,
         "an HDF5 file, as Keras's .h5 is; `vgg19 convert FILE -o MODEL.safetensors` makes a model of it"},
        {"\x93NUMPY\1\0"s, "an array of NumPy (.npy)"},
        {"\x08\x07\x12\x07pytorch"s, "a model of ONNX"},
        {"\x08\x04\x3a\x10"s, "a model of ONNX"},
        {"\x08\x04\x12\x30\x0a\x10"s, "a model of Core ML"},
        {std::string(100, '\0'), "a file of zeros; was the download cut off?"},
        {"\x08\x01\x12\x80\x10"s, "a model of TensorFlow"},
        {"\x0a\x1b\x0a\x05input\x12\x0bPlaceholderxxxxxxxx"s, "a model of TensorFlow"},
        {"\x1c\0\0\0TFL3"s, "a model of TensorFlow Lite"},
        {"\x0a\x05VGG19\x12\x10"s, "a model of Caffe (.caffemodel)"},
        {"\x0a\x05VGG19\xa2\x06\x10"s, "a model of Caffe (.caffemodel)"},
        {"\4\0\0\0\1\0\0\0\3\0\0\0V 1"s, "a file of Torch 7 (Lua)"},
        {"MATLAB 5.0 MAT-file"s, "a file of MATLAB"},
        {"GGUF\3\0\0\0"s, "a GGUF file"},
        {"\n  <!DOCTYPE html><html>"s,
         "a web page (HTML); the download returned a web page instead of the file"},
        {"<HTML>"s, "a web page (HTML)"},
        {"<?xml version=\"1.0\"?>\n<html>"s, "a web page (HTML)"},
        {"<?xml version=\"1.0\"?>\n<net>"s, "a text (XML)"},
        {R"({"metadata": {"total_size": 1}, "weight_map": {}})", "the index of weights in several files"},
        {R"({"architectures": []})", "a text (JSON)"},
        {"tench\ngoldfish\ngreat white shark\n", "a text; there are no weights in it"},
        {"", "an empty file; was the download cut off?"},
        {"\x7f"s
         "ELF"s,
         "a program"},
        {"\1\2\3"s, "a file that begins with bytes 01 02 03"},
    };
    for (const auto& entry : cases) {
        const auto& content = entry.first;
        const auto& expected = entry.second;
        CAPTURE(expected);
        CHECK(described(content) == Containing(expected));
        CHECK(described(content).starts_with(expected.substr(0, 10)));
    }
}

TEST_CASE("a picture cannot be imported as weights") {
    CHECK(for_import("\xff\xd8\xff\xe0") == "a picture (JPEG); there are no weights in it");
    CHECK(for_import("\x1f\x8b") == "a gzip file; unpack it first");
    CHECK(for_import("\1") == "a file that begins with bytes 01");
}

TEST_CASE("the readable kinds of files are recognised") {
    CHECK(kind("\2\0\0\0\0\0\0\0{}"s) == FileKind::safetensors);
    CHECK(kind("\x80\2\0\0\0\0\0\0{"s) == FileKind::safetensors);  // a header of 640 bytes
    CHECK(kind("\3\0\0\0\0\0\0\0 {}"s) == FileKind::safetensors);
    CHECK(kind("\xff\xff\xff\x7f\0\0\0\0{"s) == FileKind::safetensors);  // cut off
    CHECK(described("GIF89a\x10\0{\0 and more of it"s) == Containing("a picture (GIF)"));
    CHECK(kind("{\"weight\":{}}"s) == FileKind::other);
    CHECK(kind("PK\3\4"s) == FileKind::zip);
    CHECK(kind("\x80\5N."s) == FileKind::pickle);
    CHECK(kind("\x80\x09N."s) == FileKind::unknown);
    CHECK(kind("\1\2\3"s) == FileKind::unknown);
}

}  // namespace

}  // namespace vgg19::model
