#include "converter/data/foreign_data.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/model/mapped_file.h"

namespace vgg19::converter {

namespace {

using namespace std::string_view_literals;

constexpr const char* unpack = "unpack it, and give the folder";
constexpr const char* export_pictures =
    "save its pictures as PNG files in one folder per class, and give the folder that contains these folders";
constexpr const char* use_binary = "use CIFAR-10's binary version, cifar-10-binary.tar.gz";
constexpr const char* give_folder = "give the folder that contains it";

/// The bytes that files of a kind have at an offset, and what to do instead.
struct Signature {
    std::size_t offset;
    std::string_view bytes;
    const char* kind;
    const char* advice;
};

constexpr auto signatures = std::to_array<Signature>({
    {0, "\x00\x00\x08\x03"sv, "MNIST's images (an IDX file)", export_pictures},
    {0, "\x00\x00\x08\x04"sv, "pictures in an IDX file, as MNIST has them", export_pictures},
    {0, "\x00\x00\x08\x01"sv, "MNIST's labels (an IDX file)", export_pictures},
    {0, "MATLAB 5.0 MAT-file"sv, "a Matlab file, such as CIFAR-10's version for Matlab or SVHN", use_binary},
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file", export_pictures},
    {0, "\x93NUMPY"sv, "a NumPy array", export_pictures},
    {0, "PAR1"sv, "a Parquet file", export_pictures},
    {0, "ARROW1"sv, "an Arrow file", export_pictures},
    {0, "version https://git-lfs"sv, "a pointer of Git LFS", "git lfs pull fetches the file itself"},
    {0, "\x1f\x8b"sv, "a gzip archive", unpack},
    {0, "PK\x03\x04"sv, "a zip archive", unpack},
    {257, "ustar"sv, "a tar archive", unpack},
    {0, "BZh"sv, "a bzip2 archive", unpack},
    {1, "7zXZ\x00"sv, "an xz archive", unpack},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", unpack},
    {0, "\xff\xd8\xff"sv, "one picture", give_folder},
    {0, "\x89PNG\r\n"sv, "one picture", give_folder},
    {0, "GIF8"sv, "one picture", give_folder},
    {0, "P5\n"sv, "one picture", give_folder},
    {0, "P6\n"sv, "one picture", give_folder},
    {8, "WEBP"sv, "one picture", give_folder},
});

/// A pickle of protocol 2 to 5.
bool is_pickle(std::string_view bytes) {
    return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}

std::string text_of(const char* kind, const char* advice) {
    return std::string(kind) + ": " + advice;
}

}  // namespace

std::optional<std::string> describe_foreign_data(const std::filesystem::path& file,
                                                 std::span<const std::byte> bytes) {
    const std::string_view text = model::as_text(bytes);
    if (is_pickle(text)) {
        if (file.filename() == "train" || file.filename() == "test") {
            return text_of("a pickle, such as CIFAR-100's version for Python", export_pictures);
        }
        return text_of("a pickle, such as CIFAR-10's version for Python", use_binary);
    }
    const auto* const found =
        std::find_if(signatures.begin(), signatures.end(), [text](const Signature& signature) {
            return text.size() > signature.offset &&
                   text.substr(signature.offset).starts_with(signature.bytes);
        });
    if (found != signatures.end()) return text_of(found->kind, found->advice);

    constexpr std::size_t cifar100_record = 3074;
    constexpr std::size_t stl10_picture = std::size_t{96} * 96 * 3;
    if (!bytes.empty() && bytes.size() % cifar100_record == 0) {
        return text_of("CIFAR-100's records of two labels and a picture, 3074 bytes each", export_pictures);
    }
    if (!bytes.empty() && bytes.size() % stl10_picture == 0) {
        return text_of("STL-10's pictures of 27648 bytes each", export_pictures);
    }
    return std::nullopt;
}

}  // namespace vgg19::converter
