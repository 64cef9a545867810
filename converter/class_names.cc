#include "converter/class_names.h"

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <string_view>

#include "engine/model/mapped_file.h"
#include "engine/model/utf8.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t longest_name = 1000;
constexpr std::size_t most_names = 65'536;  // as wide as a layer can be

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = model::utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

class NameReader {
  public:
    explicit NameReader(const std::filesystem::path& file) : file_(file) {}

    std::vector<std::string> read() {
        const std::span<const std::byte> bytes = file_.bytes();
        std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            ++line_;
            add(trimmed(text.substr(0, end)));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        if (!names_.empty()) return names_;
        throw Error(ErrorKind::bad_input,
                    file_.path().string() + ": expected a class name a line, found none");
    }

  private:
    [[noreturn]] void fail(std::size_t line, const std::string& problem) const {
        throw Error(ErrorKind::bad_input,
                    file_.path().string() + ": line " + std::to_string(line) + ": " + problem);
    }

    void add(std::string_view name) {
        if (name.empty()) {
            if (empty_line_ == 0) empty_line_ = line_;
            return;
        }
        if (empty_line_ > 0) fail(empty_line_, "expected a class name, found an empty line");
        if (name.size() > longest_name || !is_utf8(name)) {
            fail(line_, "expected a name of at most " + std::to_string(longest_name) +
                            " bytes in UTF-8, found another text");
        }
        if (names_.size() == most_names) {
            fail(line_, "expected at most " + std::to_string(most_names) + " names, found more");
        }
        const auto [before, is_new] = lines_.emplace(name, line_);
        if (!is_new) {
            fail(line_, "expected each class once, found '" + std::string(name) + "' again, after line " +
                            std::to_string(before->second));
        }
        names_.emplace_back(name);
    }

    model::MappedFile file_;
    std::vector<std::string> names_;
    std::map<std::string, std::size_t, std::less<>> lines_;
    std::size_t line_ = 0;
    std::size_t empty_line_ = 0;
};

}  // namespace

std::vector<std::string> read_class_names(const std::filesystem::path& file) {
    return NameReader(file).read();
}

}  // namespace vgg19::converter
