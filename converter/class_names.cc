#include "converter/class_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <string_view>

#include "converter/import/byte_reader.h"
#include "engine/model/json_file.h"
#include "engine/model/json_reader.h"
#include "engine/model/mapped_file.h"
#include "engine/model/utf8.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using model::JsonReader;
using Kind = JsonReader::Kind;

constexpr std::size_t largest_file = std::size_t{64} << 20U;
constexpr std::size_t longest_name = 1000;
constexpr std::size_t most_names = 65'536;  // the largest width of a layer

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = model::utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

class NameList {
  public:
    explicit NameList(std::string file) : file_(std::move(file)) {}

    /// `place` is the name's position in the file, such as "line 3".
    void add(std::string_view name, const std::string& place) {
        if (name.empty()) fail(place, "expected a class name, found none");
        if (name.size() > longest_name || !is_utf8(name)) {
            fail(place, "expected a name of at most " + std::to_string(longest_name) +
                            " bytes in UTF-8, found another text");
        }
        require_room(names_.size() + 1, place);
        const auto [before, is_new] = places_.emplace(name, place);
        if (!is_new) {
            fail(place,
                 "expected each class once, found '" + printable(name) + "' again, after " + before->second);
        }
        names_.emplace_back(name);
    }
    void require_room(std::size_t count, const std::string& place) const {
        if (count <= most_names) return;
        fail(place, "expected at most " + std::to_string(most_names) + " names, found more");
    }
    [[noreturn]] void fail(const std::string& place, const std::string& problem) const {
        throw Error(ErrorKind::bad_input, file_ + ": " + place + ": " + problem);
    }
    std::vector<std::string>& names() { return names_; }
    const std::string& file() const { return file_; }

  private:
    std::string file_;
    std::vector<std::string> names_;
    std::map<std::string, std::string, std::less<>> places_;
};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

void read_lines(std::string_view text, NameList& names) {
    std::size_t line = 0;
    std::size_t empty_line = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view name = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
        if (name.empty()) {
            if (empty_line == 0) empty_line = line;
            continue;
        }
        if (empty_line > 0) {
            names.fail("line " + std::to_string(empty_line), "expected a class name, found an empty line");
        }
        names.add(name, "line " + std::to_string(line));
    }
}

/// A name, or ImageNet's pair of WordNet id and name.
struct Label {
    std::string name;
    std::string id;
};

[[noreturn]] void refuse_label(const std::string& place, const std::string& found, const NameList& names) {
    names.fail(place, "expected a name, or WordNet's id and a name, found " + found);
}

Label read_pair(JsonReader& reader, const std::string& place, const NameList& names) {
    std::array<std::string, 2> texts;
    std::size_t count = 0;
    reader.array([&] {
        const bool fits = count < texts.size() && reader.next() == Kind::string;
        if (!fits) refuse_label(place, "another list", names);
        texts[count++] = reader.string();
    });
    if (count != texts.size()) refuse_label(place, "a shorter list", names);
    return {texts[1], texts[0]};
}

Label read_label(JsonReader& reader, const std::string& place, const NameList& names) {
    switch (reader.next()) {
        case Kind::string:
            return {reader.string(), ""};
        case Kind::array:
            return read_pair(reader, place, names);
        case Kind::object:
            refuse_label(place, "an object", names);
        default:
            refuse_label(place, printable(reader.value().dump()), names);
    }
}

/// ImageNet has two classes "crane" and two "maillot"; the ids distinguish them.
void add_labels(const std::vector<Label>& labels, NameList& names) {
    std::map<std::string_view, int> counts;
    for (const Label& label : labels) ++counts[label.name];
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto& [name, id] = labels[i];
        const bool needs_id = counts[name] > 1 && !id.empty() && !name.empty();
        std::string distinct = name;
        if (needs_id) distinct.append(" (").append(id).append(")");
        names.add(distinct, "class " + std::to_string(i));
    }
}

std::size_t index_in(std::string_view text, const std::string& place, const NameList& names) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc() || end != text.data() + text.size()) {
        names.fail(place, "expected a class's index, found " + printable(text));
    }
    return index;
}

/// A member of an object: from index to name, or from name to index; the value shows which.
struct Entry {
    std::string place;
    std::size_t index = 0;
    Label label;
};

Entry read_entry(JsonReader& reader, const std::string& key, const NameList& names) {
    const std::string place = "entry \"" + printable(key) + '"';
    if (reader.next() == Kind::number) return {place, reader.value().size(), {key, ""}};
    const std::size_t index = index_in(key, place, names);
    return {place, index, read_label(reader, place, names)};
}

void read_object(JsonReader& reader, NameList& names) {
    std::vector<Entry> entries;
    reader.object([&](const std::string& key) {
        entries.push_back(read_entry(reader, key, names));
        names.require_room(entries.size(), entries.back().place);
    });
    std::vector<Label> labels(entries.size());
    std::vector<bool> known(entries.size());
    for (Entry& entry : entries) {
        if (entry.index >= entries.size()) {
            names.fail(entry.place, "expected an index below " + std::to_string(entries.size()) +
                                        ", the number of entries, found " + std::to_string(entry.index));
        }
        if (known[entry.index]) {
            names.fail(entry.place,
                       "expected each index once, found " + std::to_string(entry.index) + " again");
        }
        known[entry.index] = true;
        labels[entry.index] = std::move(entry.label);
    }
    add_labels(labels, names);
}

void read_json(std::string_view text, NameList& names) {
    JsonReader reader(text, names.file());
    if (reader.next() == Kind::object) {
        read_object(reader, names);
    } else {
        std::vector<Label> labels;
        reader.array([&] {
            const std::string place = "class " + std::to_string(labels.size());
            labels.push_back(read_label(reader, place, names));
            names.require_room(labels.size(), place);
        });
        add_labels(labels, names);
    }
    reader.end();
}

}  // namespace

std::vector<std::string> read_class_names(const std::filesystem::path& file, std::size_t classes) {
    return read_class_names(model::MappedFile(file), classes);
}

std::vector<std::string> read_class_names(const model::MappedFile& mapping, std::size_t classes) {
    const std::string file = mapping.path().string();
    model::require_text_size(mapping, largest_file);
    std::string_view text = model::as_text(mapping.bytes());
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

    NameList names(file);
    const std::string_view content = trimmed(text);
    if (content.starts_with('{') || content.starts_with('[')) {
        read_json(content, names);
    } else {
        read_lines(text, names);
    }
    const std::size_t found = names.names().size();
    if (found == 0 || (classes != 0 && found != classes)) {
        throw Error(ErrorKind::bad_input, file + ": expected " +
                                              (classes == 0 ? "one class name per line"
                                                            : "a name for each of the model's " +
                                                                  std::to_string(classes) + " classes") +
                                              ", found " + (found == 0 ? "none" : std::to_string(found)));
    }
    return std::move(names.names());
}

}  // namespace vgg19::converter
