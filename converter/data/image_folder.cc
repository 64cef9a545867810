#include "converter/data/image_folder.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
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

enum class Part : unsigned char { none, training, held_out };

Part part_called(std::string_view word) {
    constexpr auto training = std::to_array<std::string_view>({"train", "training"});
    constexpr auto held_out = std::to_array<std::string_view>(
        {"val", "valid", "validation", "dev", "eval", "test", "testing", "holdout"});
    const auto has = [word](const auto& words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (has(training)) return Part::training;
    return has(held_out) ? Part::held_out : Part::none;
}

/// Common names of the parts of a data set: "train", "Test_set"; and within longer names "seg_train",
/// "val2017".
struct PartName {
    Part part = Part::none;
    bool is_whole = false;  ///< the part is the whole name

    explicit PartName(const std::string& name) {
        std::string rest;
        std::string word;
        for (const char letter : name + ' ') {
            const bool is_upper = letter >= 'A' && letter <= 'Z';
            if (is_upper || (letter >= 'a' && letter <= 'z')) {
                word += is_upper ? static_cast<char>(letter - 'A' + 'a') : letter;
                continue;
            }
            const Part called = part_called(word);
            if (called == Part::none && word != "set") rest += word + letter;
            if (part == Part::none) part = called;
            word.clear();
        }
        is_whole = part != Part::none && rest.find_first_not_of(" _-") == std::string::npos;
    }
};

class ImageFolder final : public DataSet {
  public:
    ImageFolder(const fs::path& folder, ImageOptions options) : options_(std::move(options)) {
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

    void read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
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

    /// The classes that contain images.
    std::vector<fs::path> filled_classes() const {
        std::vector<fs::path> filled;
        for (const Item& item : items_) {
            if (!item.label) continue;
            const fs::path& place = classes_[*item.label];
            if (filled.empty() || filled.back() != place) filled.push_back(place);
        }
        return filled;
    }

    /// Folders of training and test pictures are not classes.
    void require_classes(const fs::path& folder) const {
        const std::vector<fs::path> filled = filled_classes();
        std::string names;
        std::vector<fs::path> parts;
        bool are_whole = true;
        bool have_folders = true;
        std::set<Part> kinds;
        for (const fs::path& place : filled) {
            const PartName name(place.filename().string());
            if (name.part == Part::none) continue;
            parts.push_back(place);
            kinds.insert(name.part);
            are_whole = are_whole && name.is_whole;
            have_folders = have_folders && !folders_in(place).empty();
            names += (names.empty() ? "" : ", ") + place.filename().string();
        }
        const bool are_all = parts.size() == filled.size();
        // A single folder may be a class. So may some folders among others, and names of several words,
        // unless both training and test folders exist.
        const bool alone = are_all && are_whole && (parts.size() > 1 || have_folders);
        const bool together = kinds.size() > 1 && (are_all || have_folders);
        if (parts.empty() || (!alone && !together)) return;
        fail(folder, "expected one folder per class, found parts of a data set, " + names +
                         ": name one of them, such as " + parts.front().string());
    }

    std::string nothing_found(const FolderContent& flat) const {
        std::string message = "expected images (" + readable_formats() +
                              "), one folder per class with images in it, or CIFAR-10's *.bin, found none";
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
            return std::nullopt;  // without access, leave it out of the message
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
