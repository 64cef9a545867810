#include "converter/data/left_out.h"

#include <algorithm>
#include <cctype>

#include "engine/image/formats.h"

namespace vgg19::converter {

namespace {

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
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        ++counts_["folder " + file.string() + " (cannot be read)"];
    } else {
        ++counts_[extension_of(file)];
    }
}

std::vector<LeftOut> LeftOutFiles::list() const {
    std::vector<LeftOut> result;
    for (const auto& [extension, files] : counts_) {
        const ImageFormat* const format = format_of_extension(extension);
        result.push_back({extension, files, format != nullptr && !format->is_readable()});
    }
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
