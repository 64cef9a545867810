#include "converter/data/image_files.h"

#include <algorithm>
#include <set>

#include "engine/image/formats.h"

namespace vgg19::converter {

namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) {
    return path.filename().string().starts_with('.');
}

/// Links that lead nowhere count as files: they were meant to be there.
bool is_file(const fs::directory_entry& entry) {
    std::error_code ignored;
    if (entry.is_regular_file(ignored)) return true;
    return entry.is_symlink(ignored) && !entry.exists(ignored);
}

bool is_image(const fs::path& file) {
    const ImageFormat* const format = format_of_extension(file.extension().string());
    return format != nullptr && format->is_readable();
}

void add_files(const fs::path& folder, FolderContent& content) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (is_hidden(entry.path()) || !is_file(entry)) continue;
        auto& files = is_image(entry.path()) ? content.images : content.others;
        files.push_back(entry.path());
    }
}

}  // namespace

std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> folders;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        std::error_code ignored;  // a link that leads nowhere or to itself is no folder
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
        add_files(next, content);
        const std::vector<fs::path> folders = folders_in(next);
        open.insert(open.end(), folders.rbegin(), folders.rend());
    }
    std::sort(content.images.begin(), content.images.end());
    return content;
}

}  // namespace vgg19::converter
