#include "converter/data/data_set.h"

#include <algorithm>
#include <system_error>

#include "converter/data/cifar.h"
#include "converter/data/image_files.h"
#include "converter/data/image_folder.h"
#include "converter/data/left_out.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// The files in a CIFAR-10 folder that are not read.
std::vector<LeftOut> others_in(const std::filesystem::path& folder,
                               const std::vector<std::filesystem::path>& read) {
    const FolderContent content = files_in(folder);
    LeftOutFiles counted;
    for (const std::filesystem::path& image : content.images) counted.add(image);
    std::vector<std::filesystem::path> unread;  // listed by name, because it matters which ones are unused
    for (const std::filesystem::path& file : content.others) {
        if (std::find(read.begin(), read.end(), file) != read.end()) continue;
        if (file.extension() == ".bin") {
            unread.push_back(file.filename());
        } else {
            counted.add(file);
        }
    }
    for (const std::filesystem::path& inner : folders_in(folder)) unread.push_back(inner.filename() / "");
    std::sort(unread.begin(), unread.end());
    std::vector<LeftOut> result;
    result.reserve(unread.size());
    for (const std::filesystem::path& file : unread) result.push_back({file.string(), 1, false});
    const std::vector<LeftOut> rest = counted.list();
    result.insert(result.end(), rest.begin(), rest.end());
    return result;
}

bool has_images(const std::filesystem::path& folder) {
    if (!files_in(folder).images.empty()) return true;
    const std::vector<std::filesystem::path> inner = folders_in(folder);
    return std::any_of(inner.begin(), inner.end(),
                       [](const auto& each) { return !files_below(each).images.empty(); });
}

/// Other files may be called *.bin too, such as a model's weights in the same folder as its training
/// pictures.
bool are_meant(const std::vector<std::filesystem::path>& cifar, const std::filesystem::path& folder) {
    return std::any_of(cifar.begin(), cifar.end(), may_be_cifar) || (!cifar.empty() && !has_images(folder));
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
    std::string digits = std::to_string(count);
    for (std::size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ',');
    return digits + ' ' + (count == 1 ? one : many);
}

std::string origin_text(const DataSet& data) {
    const DataSource& source = data.source();
    if (!source.names.empty()) {
        std::string names;
        for (const std::string& name : source.names) names += (names.empty() ? "" : ", ") + name;
        return " in " + counted(source.files, "file", "files") + " (" + names + ")";
    }
    const std::size_t classes = data.class_names().size();
    return data.label(0) ? " in " + counted(classes, "class folder", "class folders") : "";
}

}  // namespace

const DataSource& DataSet::source() const {
    static const DataSource none;
    return none;
}

std::unique_ptr<DataSet> open_data_set(const std::filesystem::path& path, DataUse use,
                                       const ImageOptions& options) {
    std::error_code missing;
    if (!std::filesystem::exists(path, missing)) {
        throw Error(ErrorKind::bad_input, path.string() +
                                              ": expected a folder of images or CIFAR-10's "
                                              "binary files, found nothing of that name");
    }
    if (!std::filesystem::is_directory(path)) return open_cifar({path});
    try {
        const std::vector<std::filesystem::path> files = cifar_files(path, use);
        return are_meant(files, path) ? open_cifar(files, others_in(path, files))
                                      : open_image_folder(path, options);
    } catch (const std::filesystem::filesystem_error& error) {
        const std::filesystem::path& place = error.path1().empty() ? path : error.path1();
        throw Error(ErrorKind::bad_input, place.string() + ": " + error.code().message());
    }
}

std::string description(const DataSet& data) {
    const std::string left_out = left_out_text(data.source().left_out);
    return counted(data.size(), "image", "images") + origin_text(data) +
           (left_out.empty() ? "" : "; left out: " + left_out);
}

std::vector<std::size_t> spread_items(std::size_t total, std::size_t count) {
    count = std::min(count, total);
    std::vector<std::size_t> items(count);
    for (std::size_t i = 0; i < count; ++i) items[i] = i * total / count;
    return items;
}

}  // namespace vgg19::converter
