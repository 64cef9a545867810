#include "converter/data/image_files.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include "engine/image/formats.h"

namespace vgg19::converter {

namespace {

namespace fs = std::filesystem;

/// Folders of file managers and network disks: archive remains, thumbnails, recycle bins.
bool is_system_folder(std::string_view name) {
    constexpr auto names = std::to_array<std::string_view>(
        {"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"});
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_hidden(const fs::path& path) {
    const std::string name = path.filename().string();
    return name.starts_with('.') || is_system_folder(name);
}

/// Broken links, pipes and sockets count as files, so that they are reported as left out.
bool is_file(const fs::directory_entry& entry) {
    std::error_code ignored;
    return !entry.is_directory(ignored);
}

/// A pipe cannot be read twice, so it is not an image.
bool is_image(const fs::directory_entry& file) {
    std::error_code ignored;
    if (file.exists(ignored) && !file.is_regular_file(ignored)) return false;
    const ImageFormat* const format = format_of_extension(file.path().extension().string());
    return format != nullptr && format->is_readable();
}

bool is_readable(const fs::path& folder) {
    std::error_code error;
    const fs::directory_iterator opened(folder, error);
    return !error;
}

void add_files(const fs::path& folder, FolderContent& content) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (is_hidden(entry.path()) || !is_file(entry)) continue;
        auto& files = is_image(entry) ? content.images : content.others;
        files.push_back(entry.path());
    }
}

}  // namespace

std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> folders;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        std::error_code ignored;  // a broken or circular link is no folder
        if (!is_hidden(entry.path()) && entry.is_directory(ignored)) folders.push_back(entry.path());
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

FolderContent files_in(const fs::path& folder) {
    FolderContent content;
    add_files(folder, content);
    std::sort(content.images.begin(), content.images.end());
    return content;
}

FolderContent files_below(const fs::path& folder) {
    FolderContent content;
    std::set<fs::path> seen;
    std::vector<fs::path> open = {folder};
    while (!open.empty()) {
        const fs::path next = open.back();
        open.pop_back();
        if (!seen.insert(fs::canonical(next)).second) continue;
        if (next != folder && !is_readable(next)) {
            content.others.push_back(next);
            continue;
        }
        add_files(next, content);
        const std::vector<fs::path> folders = folders_in(next);
        open.insert(open.end(), folders.rbegin(), folders.rend());
    }
    std::sort(content.images.begin(), content.images.end());
    return content;
}

}  // namespace vgg19::converter
