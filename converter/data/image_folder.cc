#include "converter/data/image_folder.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "converter/data/foreign_data.h"
#include "converter/data/image_files.h"
#include "engine/image/formats.h"
#include "engine/image/preprocess.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19::converter {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& folder, const std::string& problem) {
    throw Error(ErrorKind::bad_input, folder.string() + ": " + problem);
}

/// What people call the parts of a data set.
bool is_part_name(const std::string& name) {
    constexpr auto names = std::to_array<std::string_view>(
        {"train", "training", "train_set", "training_set", "val", "valid", "validation", "val_set", "dev",
         "eval", "test", "testing", "test_set", "holdout"});
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return std::find(names.begin(), names.end(), lower) != names.end();
}

class ImageFolder final : public DataSet {
  public:
    ImageFolder(const fs::path& folder, const ImageOptions& options) : options_(options) {
        const FolderContent flat = files_in(folder);
        add(flat, std::nullopt);
        classes_ = folders_in(folder);
        for (std::size_t label = 0; label < classes_.size(); ++label) {
            add(files_below(classes_[label]), label);
        }
        source_.files = items_.size();
        source_.left_out = left_out_.list();
        check(folder, flat);
    }

    std::size_t size() const override { return items_.size(); }
    std::string name(std::size_t item) const override { return items_[item].path.string(); }
    std::optional<std::size_t> label(std::size_t item) const override { return items_[item].label; }
    std::vector<std::string> class_names() const override {
        std::vector<std::string> names;
        for (const fs::path& folder : classes_) names.push_back(folder.filename().string());
        return names;
    }
    const DataSource& source() const override { return source_; }

    Image picture(std::size_t item) const override { return load_image(items_[item].path, options_); }

    void read(std::size_t item, const Preprocessing& preprocessing, std::size_t size,
              std::span<float> nchw) const override {
        preprocess(picture(item).view(), preprocessing, size, nchw);
    }

  private:
    struct Item {
        fs::path path;
        std::optional<std::size_t> label;
    };

    void add(const FolderContent& content, std::optional<std::size_t> label) {
        for (const fs::path& path : content.images) items_.push_back({path, label});
        for (const fs::path& path : content.others) left_out_.add(path);
    }

    void check(const fs::path& folder, const FolderContent& flat) const {
        if (items_.empty()) fail(folder, nothing_found(flat));
        if (!flat.images.empty() && flat.images.size() < items_.size()) {
            fail(folder, "expected images or class folders, found both: " + items_.front().path.string() +
                             " and " + items_.back().path.string());
        }
        require_classes(folder);
    }

    /// Folders of training and of test pictures are no classes.
    void require_classes(const fs::path& folder) const {
        std::vector<std::size_t> filled;
        for (const Item& item : items_) {
            if (item.label && (filled.empty() || filled.back() != *item.label)) filled.push_back(*item.label);
        }
        std::string names;
        for (const std::size_t label : filled) {
            const std::string name = classes_[label].filename().string();
            if (!is_part_name(name)) return;
            names += (names.empty() ? "" : ", ") + name;
        }
        // One alone may be a class, or hold pictures without classes.
        if (filled.empty() || (filled.size() == 1 && folders_in(classes_[filled[0]]).empty())) return;
        fail(folder, "expected a folder a class, found parts of a data set, " + names +
                         ": name one of them, such as " + classes_[filled[0]].string());
    }

    std::string nothing_found(const FolderContent& flat) const {
        std::string message = "expected images (" + readable_formats() +
                              "), a folder a class with images in it, or CIFAR-10's *.bin, found none";
        const std::string others = left_out_text(source_.left_out);
        if (!others.empty()) message += "; what is there: " + others;
        for (const fs::path& file : flat.others) {
            if (const auto foreign = foreign_file(file)) {
                return message + "; " + file.filename().string() + " is " + *foreign;
            }
        }
        for (const fs::path& inner : classes_) {
            for (const fs::path& file : files_in(inner).others) {
                if (file.extension() == ".bin") return message + "; did you mean " + inner.string() + "?";
            }
        }
        return message;
    }

    static std::optional<std::string> foreign_file(const fs::path& file) {
        try {
            const model::MappedFile mapped(file);
            return describe_foreign_data(file, mapped.bytes());
        } catch (const Error&) {
            return std::nullopt;  // what cannot be read is not what a message can be about
        }
    }

    ImageOptions options_;
    std::vector<Item> items_;
    std::vector<fs::path> classes_;
    LeftOutFiles left_out_;
    DataSource source_;
};

}  // namespace

std::unique_ptr<DataSet> open_image_folder(const fs::path& folder, const ImageOptions& options) {
    return std::make_unique<ImageFolder>(folder, options);
}

}  // namespace vgg19::converter
