#include "converter/data/left_out.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "converter/data/image_folder.h"

namespace vgg19::converter {

namespace {

/// Of pictures, whether a build reads them or not.
constexpr auto picture_extensions = std::to_array<std::string_view>(
    {".apng", ".arw", ".avif", ".cr2", ".cr3", ".dib", ".dng", ".exr", ".hdr", ".heic", ".heif",
     ".ico",  ".j2k", ".jfif", ".jp2", ".jpe", ".jxl", ".nef", ".orf", ".pam", ".pbm",  ".pcx",
     ".pfm",  ".psd", ".qoi",  ".raf", ".raw", ".rw2", ".svg", ".tga", ".tif", ".tiff", ".webp"});

bool is_picture(std::string_view extension) {
    return is_image_extension(extension) || std::find(picture_extensions.begin(), picture_extensions.end(),
                                                      extension) != picture_extensions.end();
}

std::string text_of(const LeftOut& entry) {
    if (!entry.kind.starts_with('.') && !entry.kind.empty()) return entry.kind;
    const std::string kind = entry.kind.empty() ? "without an extension" : entry.kind;
    return std::to_string(entry.files) + ' ' + kind +
           (entry.pictures ? " (pictures that this build does not read)" : "");
}

}  // namespace

std::string extension_of(const std::filesystem::path& file) {
    std::string extension = file.extension().string();
    for (char& letter : extension) {
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    return extension;
}

void LeftOutFiles::add(const std::filesystem::path& file) {
    ++counts_[extension_of(file)];
}

std::vector<LeftOut> LeftOutFiles::list() const {
    std::vector<LeftOut> result;
    for (const auto& [extension, files] : counts_)
        result.push_back({extension, files, is_picture(extension)});
    std::stable_partition(result.begin(), result.end(), [](const LeftOut& entry) { return entry.pictures; });
    return result;
}

std::string left_out_text(std::span<const LeftOut> left_out) {
    constexpr std::size_t most_listed = 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(left_out.size(), most_listed); ++i) {
        text += (text.empty() ? "" : ", ") + text_of(left_out[i]);
    }
    if (left_out.size() > most_listed) {
        text += " and " + std::to_string(left_out.size() - most_listed) + " kinds more";
    }
    return text;
}

}  // namespace vgg19::converter
