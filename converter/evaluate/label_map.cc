#include "converter/evaluate/label_map.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>

#include "engine/model/foreign_text.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// A '#' inside a word does not start a comment.
std::string_view without_comment(std::string_view line) {
    for (std::size_t i = line.find('#'); i != std::string_view::npos; i = line.find('#', i + 1)) {
        if (i == 0 || blanks.find(line[i - 1]) != std::string_view::npos) return line.substr(0, i);
    }
    return line;
}

class LabelMapReader {
  public:
    LabelMapReader(const model::MappedFile& file, const std::vector<std::string>& class_names,
                   const ModelClasses& model)
        : file_(file),
          names_(class_names),
          model_(model),
          has_numbers_(std::any_of(class_names.begin(), class_names.end(), is_digits)),
          map_(class_names.size()),
          lines_(class_names.size()) {}

    LabelMap read() {
        std::string_view text = model::as_text(file_.bytes());
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            ++line_;
            add(trimmed(without_comment(text.substr(0, end))));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        require_all();
        return map_;
    }

  private:
    Error error(const std::string& message) const {
        return {ErrorKind::bad_input,
                file_.path().string() + ": line " + std::to_string(line_) + ": " + message};
    }

    void add(std::string_view line) {
        if (line.empty()) return;
        const std::size_t gap = line.find_last_of(blanks);
        if (gap == std::string_view::npos) {
            throw error("expected a class of the data set and a class of the model, found " +
                        in_quotes(line));
        }
        const std::string_view id = line.substr(gap + 1);
        const std::optional<std::size_t> target = find_class(id, model_);
        if (!target) throw error("expected " + model_.range_text() + ", found " + in_quotes(id));
        const std::string_view name = trimmed(line.substr(0, gap));
        const std::optional<std::size_t> label = find_label(name);
        if (!label) return;
        if (lines_[*label] != 0) {
            throw error("expected one line per class, found " + in_quotes(name) + " again, after line " +
                        std::to_string(lines_[*label]));
        }
        map_[*label] = *target;
        lines_[*label] = line_;
    }

    std::optional<std::size_t> find_label(std::string_view name) const {
        const auto found = std::find(names_.begin(), names_.end(), name);
        if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
        if (has_numbers_ || !is_digits(name)) return std::nullopt;
        return parse_index(name, names_.size());
    }

    void require_all() const {
        const auto missing = std::find(lines_.begin(), lines_.end(), std::size_t{0});
        if (missing == lines_.end()) return;
        const auto label = static_cast<std::size_t>(missing - lines_.begin());
        throw error("expected a line for each class of the data set, found the end and none for class " +
                    std::to_string(label) + ", " + in_quotes(names_[label]));
    }

    const model::MappedFile& file_;
    const std::vector<std::string>& names_;
    const ModelClasses& model_;
    bool has_numbers_;  ///< among the names
    LabelMap map_;
    std::vector<std::size_t> lines_;  ///< by class; 0: not yet found
    std::size_t line_ = 0;
};

/// If the only class folder contains just folders, those may be the classes.
std::string inner_folder_of(const DataSet& data, const std::filesystem::path& root) {
    if (data.class_names().size() != 1) return "";
    const std::filesystem::path inner = root / data.class_names()[0];
    for (std::size_t item = 0; item < data.size(); ++item) {
        if (std::filesystem::path(data.name(item)).parent_path() == inner) return "";
    }
    return inner.string();
}

/// Each class folder must hold images. In a data set with a fixed list of classes some may be missing.
void require_images(const DataSet& data, const std::string& name) {
    const std::vector<std::string> names = data.class_names();
    std::vector<bool> seen(names.size());
    for (std::size_t item = 0; item < data.size(); ++item) {
        const std::optional<std::size_t> label = data.label(item);
        if (!label) {
            throw Error(
                ErrorKind::bad_input,
                name + ": expected labelled images, one folder per class or CIFAR-10's binary files, found " +
                    model::printable(data.name(item)) + " without a label" + class_hint(data, name));
        }
        seen[*label] = true;
    }
    if (!data.imagenet_classes().empty()) return;
    const auto empty = std::find(seen.begin(), seen.end(), false);
    if (empty == seen.end()) return;
    throw Error(ErrorKind::bad_input, name + ": expected images in each class folder, found none in " +
                                          in_quotes(names[static_cast<std::size_t>(empty - seen.begin())]));
}

LabelMap identity(std::size_t classes) {
    LabelMap map(classes);
    std::iota(map.begin(), map.end(), std::size_t{0});
    return map;
}

/// CIFAR-10's files contain labels, which determine the order of its classes.
ClassMapping map_fixed_classes(const DataSet& data, const ModelClasses& model, ClassOrder order) {
    const std::vector<std::string> names = data.class_names();
    const bool automatic = order == ClassOrder::automatic;
    const std::span<const std::size_t> own = data.imagenet_classes();
    if (automatic && model.are_imagenet()) {
        return {{own.begin(), own.end()}, "by the built-in map from CIFAR-10's classes to ImageNet's"};
    }
    const bool as_they_are = automatic && model.names().empty() && names.size() == model.count();
    if (as_they_are || (order == ClassOrder::index && names.size() <= model.count())) {
        return {identity(names.size()), "by the labels in the files, which are the model's classes"};
    }
    return order_classes(names, model, order);
}

}  // namespace

// ImageNet and Tiny ImageNet store the labels of validation pictures in a separate file.
std::string class_hint(const DataSet& data, const std::string& name) {
    const std::string inner = inner_folder_of(data, name);
    if (!inner.empty()) return "; did you mean " + inner + ", which has folders too?";
    const std::string file = std::filesystem::path(data.name(0)).filename().string();
    const bool tiny = file.starts_with("val_") && file.ends_with(".JPEG");
    if (!tiny && !file.starts_with("ILSVRC2012_val_")) return "";
    return std::string("; these look like ") + (tiny ? "Tiny ImageNet's" : "ImageNet's") +
           " validation pictures, whose labels are in another file: move each into a folder of its class, "
           "named by WordNet's id";
}

LabelMap read_label_map(const std::filesystem::path& file, const std::vector<std::string>& class_names,
                        const ModelClasses& model) {
    return read_label_map(model::MappedFile(file), class_names, model);
}

LabelMap read_label_map(const model::MappedFile& file, const std::vector<std::string>& class_names,
                        const ModelClasses& model) {
    return LabelMapReader(file, class_names, model).read();
}

ClassMapping map_classes(const DataSet& data, const std::string& name, const ModelClasses& model,
                         const LabelOptions& options) {
    require_images(data, name);
    if (!options.file.empty()) {
        return {read_label_map(options.file, data.class_names(), model),
                "by " + options.file.filename().string()};
    }
    try {
        if (!data.imagenet_classes().empty()) return map_fixed_classes(data, model, options.order);
        return order_classes(data.class_names(), model, options.order);
    } catch (const Error& error) {
        throw Error(error.kind(), name + ": " + error.what() + class_hint(data, name));
    }
}

}  // namespace vgg19::converter
