#include "converter/data/data_set.h"

#include <algorithm>
#include <system_error>

#include "converter/data/cifar.h"
#include "converter/data/image_folder.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

std::vector<std::filesystem::path> binary_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file() && entry.path().extension() == ".bin") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

std::unique_ptr<DataSet> open_data_set(const std::filesystem::path& path) {
    std::error_code missing;
    if (!std::filesystem::exists(path, missing)) {
        throw Error(ErrorKind::bad_input, path.string() +
                                              ": expected a folder of images or CIFAR-10's "
                                              "binary files, found nothing of that name");
    }
    if (!std::filesystem::is_directory(path)) return open_cifar({path});
    try {
        const std::vector<std::filesystem::path> files = binary_files(path);
        return files.empty() ? open_image_folder(path) : open_cifar(files);
    } catch (const std::filesystem::filesystem_error& error) {
        throw Error(ErrorKind::bad_input, path.string() + ": " + error.code().message());
    }
}

std::vector<std::size_t> spread_items(std::size_t total, std::size_t count) {
    count = std::min(count, total);
    std::vector<std::size_t> items(count);
    for (std::size_t i = 0; i < count; ++i) items[i] = i * total / count;
    return items;
}

}  // namespace vgg19::converter
