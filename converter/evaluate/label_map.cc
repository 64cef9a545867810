#include "converter/evaluate/label_map.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "engine/labels/labels.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::string_view blanks = " \t\r";

bool is_imagenet(std::size_t model_classes) {
    return model_classes == imagenet_classes().size();
}

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Below `end`; none for a larger one.
std::optional<std::size_t> parse_index(std::string_view digits, std::size_t end) {
    std::size_t index = 0;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc{} || index >= end) return std::nullopt;
    return index;
}

std::string describe_ids(std::size_t model_classes) {
    return "a class of the model, 0 to " + std::to_string(model_classes - 1) +
           (is_imagenet(model_classes) ? " or WordNet's id such as n02123045" : "");
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// A '#' within a word is a part of it.
std::string_view without_comment(std::string_view line) {
    for (std::size_t i = line.find('#'); i != std::string_view::npos; i = line.find('#', i + 1)) {
        if (i == 0 || blanks.find(line[i - 1]) != std::string_view::npos) return line.substr(0, i);
    }
    return line;
}

/// For messages: a file that is no text may have very long lines.
std::string in_quotes(std::string_view text) {
    constexpr std::size_t most = 60;
    return "'" + std::string(text.substr(0, most)) + (text.size() > most ? "…'" : "'");
}

class LabelMapReader {
  public:
    LabelMapReader(const std::filesystem::path& file, const std::vector<std::string>& class_names,
                   std::size_t model_classes)
        : file_(file),
          names_(class_names),
          model_classes_(model_classes),
          has_numbers_(std::any_of(class_names.begin(), class_names.end(), is_digits)),
          map_(class_names.size()),
          lines_(class_names.size()) {}

    LabelMap read() {
        const std::span<const std::byte> bytes = file_.bytes();
        std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
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
        const std::optional<std::size_t> target = find_class(id, model_classes_);
        if (!target) throw error("expected " + describe_ids(model_classes_) + ", found " + in_quotes(id));
        const std::string_view name = trimmed(line.substr(0, gap));
        const std::optional<std::size_t> label = find_label(name);
        if (!label) return;
        if (lines_[*label] != 0) {
            throw error("expected one line a class, found " + in_quotes(name) + " again, after line " +
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

    model::MappedFile file_;
    const std::vector<std::string>& names_;
    std::size_t model_classes_;
    bool has_numbers_;  ///< among the names
    LabelMap map_;
    std::vector<std::size_t> lines_;  ///< by class; 0: none yet
    std::size_t line_ = 0;
};

/// Class folders are there to hold images. A data set with a fixed list of classes may lack some.
void require_images(const DataSet& data, const std::string& name) {
    const std::vector<std::string> names = data.class_names();
    std::vector<bool> seen(names.size());
    for (std::size_t item = 0; item < data.size(); ++item) {
        const std::optional<std::size_t> label = data.label(item);
        if (!label) {
            throw Error(
                ErrorKind::bad_input,
                name + ": expected labelled images, a folder a class or CIFAR-10's binary files, found " +
                    data.name(item) + " without a label");
        }
        seen[*label] = true;
    }
    if (!data.imagenet_classes().empty()) return;
    const auto empty = std::find(seen.begin(), seen.end(), false);
    if (empty == seen.end()) return;
    throw Error(ErrorKind::bad_input, name + ": expected images in each class folder, found none in " +
                                          names[static_cast<std::size_t>(empty - seen.begin())]);
}

}  // namespace

bool is_class_id(std::string_view text, std::size_t model_classes) {
    constexpr std::size_t id_letters = 9;  // n and eight digits
    if (is_digits(text)) return true;
    return is_imagenet(model_classes) && text.size() == id_letters && text[0] == 'n' &&
           is_digits(text.substr(1));
}

std::optional<std::size_t> find_class(std::string_view id, std::size_t model_classes) {
    if (!is_class_id(id, model_classes)) return std::nullopt;
    if (is_digits(id)) return parse_index(id, model_classes);
    const auto classes = imagenet_classes();
    const auto* const found =
        std::find_if(classes.data(), classes.data() + classes.size(),
                     [id](const ImageNetClass& candidate) { return candidate.synset == id; });
    if (found == classes.data() + classes.size()) return std::nullopt;
    return static_cast<std::size_t>(found - classes.data());
}

LabelMap read_label_map(const std::filesystem::path& file, const std::vector<std::string>& class_names,
                        std::size_t model_classes) {
    return LabelMapReader(file, class_names, model_classes).read();
}

LabelMap default_label_map(const DataSet& data, std::size_t model_classes) {
    const std::span<const std::size_t> own = data.imagenet_classes();
    if (!own.empty() && is_imagenet(model_classes)) return {own.begin(), own.end()};

    const std::vector<std::string> names = data.class_names();
    LabelMap map;
    if (std::all_of(names.begin(), names.end(),
                    [&](const std::string& name) { return is_class_id(name, model_classes); })) {
        for (const std::string& name : names) {
            const std::optional<std::size_t> target = find_class(name, model_classes);
            if (!target) {
                throw Error(ErrorKind::bad_input, "class folder " + in_quotes(name) + ": expected " +
                                                      describe_ids(model_classes) +
                                                      " as its name, or --label-map");
            }
            map.push_back(*target);
        }
        return map;
    }
    if (names.size() != model_classes) {
        throw Error(ErrorKind::bad_input,
                    "expected " + std::to_string(model_classes) +
                        " classes as the model has, or class folders named by index or WordNet's id, found " +
                        std::to_string(names.size()) + " such as " + in_quotes(names.front()) +
                        ": give --label-map FILE, with a line a class: its name, and the model's class");
    }
    for (std::size_t label = 0; label < names.size(); ++label) map.push_back(label);
    return map;
}

LabelMap label_map(const DataSet& data, const std::string& name, std::size_t model_classes,
                   const std::filesystem::path& file) {
    require_images(data, name);
    if (!file.empty()) return read_label_map(file, data.class_names(), model_classes);
    try {
        return default_label_map(data, model_classes);
    } catch (const Error& error) {
        throw Error(error.kind(), name + ": " + error.what());
    }
}

}  // namespace vgg19::converter
