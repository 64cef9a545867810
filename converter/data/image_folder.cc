#include "converter/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "engine/image/preprocess.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19::converter {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> image_extensions = {".jpg", ".jpeg", ".png", ".bmp",
                                                              ".gif", ".pgm",  ".ppm", ".pnm"};

bool is_image(const fs::directory_entry& entry) {
    if (!entry.is_regular_file()) return false;
    std::string extension = entry.path().extension().string();
    for (char& letter : extension) {
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    return std::find(image_extensions.begin(), image_extensions.end(), extension) != image_extensions.end();
}

/// Of the folder's entries those that `wanted` takes, by name; hidden ones never.
template <class Predicate>
std::vector<fs::path> entries(const fs::path& folder, Predicate wanted) {
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const bool hidden = entry.path().filename().string().starts_with('.');
        if (!hidden && wanted(entry)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

class ImageFolder final : public DataSet {
  public:
    explicit ImageFolder(const fs::path& folder) {
        add(folder, std::nullopt);
        const std::vector<fs::path> classes =
            entries(folder, [](const fs::directory_entry& entry) { return entry.is_directory(); });
        const std::size_t flat = items_.size();
        for (std::size_t label = 0; label < classes.size(); ++label) {
            class_names_.push_back(classes[label].filename().string());
            add(classes[label], label);
        }
        if (items_.empty()) {
            throw Error(ErrorKind::bad_input,
                        folder.string() +
                            ": expected images (jpg, png, bmp, gif, pgm, ppm), a folder "
                            "a class with images in it, or CIFAR-10's *.bin, found none");
        }
        if (flat > 0 && flat < items_.size()) {
            throw Error(ErrorKind::bad_input,
                        folder.string() + ": expected images or class folders, found both: " +
                            items_.front().path.string() + " and " + items_.back().path.string());
        }
    }

    std::size_t size() const override { return items_.size(); }
    std::string name(std::size_t item) const override { return items_[item].path.string(); }
    std::optional<std::size_t> label(std::size_t item) const override { return items_[item].label; }
    std::vector<std::string> class_names() const override { return class_names_; }

    void read(std::size_t item, const Preprocessing& preprocessing, std::size_t size,
              std::span<float> nchw) const override {
        const Image image = load_image(items_[item].path);
        preprocess(image.view(), preprocessing, size, nchw);
    }

  private:
    struct Item {
        fs::path path;
        std::optional<std::size_t> label;
    };

    void add(const fs::path& folder, std::optional<std::size_t> label) {
        for (const fs::path& path : entries(folder, is_image)) items_.push_back({path, label});
    }

    std::vector<Item> items_;
    std::vector<std::string> class_names_;
};

}  // namespace

std::unique_ptr<DataSet> open_image_folder(const fs::path& folder) {
    return std::make_unique<ImageFolder>(folder);
}

}  // namespace vgg19::converter
