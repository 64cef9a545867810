#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>

#include "engine/model/json.h"
#include "engine/model/utf8.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr int max_depth = 64;

class Reader {
  public:
    Reader(std::string_view text, std::string_view name) : text_(text), name_(name) {}

    Json document() {
        Json value = read_value(0);
        skip_white_space();
        if (at_ < text_.size()) fail("the end of the text");
        return value;
    }

  private:
    [[noreturn]] void fail_at(std::size_t offset, std::string_view expected, std::string_view found) const {
        throw Error(ErrorKind::bad_input, std::string(name_) + ": byte " + std::to_string(offset) +
                                              ": expected " + std::string(expected) + ", found " +
                                              std::string(found));
    }

    [[noreturn]] void fail(std::string_view expected) const { fail_at(at_, expected, found_here()); }

    std::string found_here() const {
        if (at_ >= text_.size()) return "the end of the text";
        const char c = text_[at_];
        if (c > ' ' && c < '\x7f') return std::string("'") + c + "'";
        constexpr std::string_view digits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        return std::string("byte 0x") + digits[byte >> 4U] + digits[byte & 15U];
    }

    /// The next character, or NUL at the end, which no rule of the grammar accepts.
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool accept(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void skip_white_space() {
        while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }

    Json read_value(int depth) {
        skip_white_space();
        switch (peek()) {
            case '{':
                return read_object(depth + 1);
            case '[':
                return read_array(depth + 1);
            case '"':
                return {read_string()};
            case 't':
                return read_word("true", Json(true));
            case 'f':
                return read_word("false", Json(false));
            case 'n':
                return read_word("null", Json());
            default:
                return read_number();
        }
    }

    Json read_word(std::string_view word, Json value) {
        for (const char c : word) {
            if (!accept(c)) fail(word);
        }
        return value;
    }

    void check_depth(int depth) const {
        if (depth > max_depth) fail_at(at_, "at most " + std::to_string(max_depth) + " levels", "more");
    }

    Json read_array(int depth) {
        check_depth(depth);
        Json::Array elements;
        ++at_;
        skip_white_space();
        if (accept(']')) return {std::move(elements)};
        do {
            elements.push_back(read_value(depth));
            skip_white_space();
        } while (accept(','));
        if (!accept(']')) fail("',' or ']'");
        return {std::move(elements)};
    }

    Json read_object(int depth) {
        check_depth(depth);
        Json::Object members;
        std::vector<std::size_t> key_offsets;
        ++at_;
        skip_white_space();
        if (accept('}')) return {std::move(members)};
        do {
            skip_white_space();
            if (peek() != '"') fail("a key");
            key_offsets.push_back(at_);
            std::string key = read_string();
            skip_white_space();
            if (!accept(':')) fail("':'");
            members.emplace_back(std::move(key), read_value(depth));
            skip_white_space();
        } while (accept(','));
        if (!accept('}')) fail("',' or '}'");
        reject_repeated_keys(members, key_offsets);
        return {std::move(members)};
    }

    /// Sorts first: comparing all pairs would take hours for a header with very many keys.
    void reject_repeated_keys(const Json::Object& members, const std::vector<std::size_t>& offsets) const {
        std::vector<std::pair<std::string_view, std::size_t>> keys;
        keys.reserve(members.size());
        for (std::size_t i = 0; i < members.size(); ++i) keys.emplace_back(members[i].first, offsets[i]);
        std::sort(keys.begin(), keys.end());
        const auto first = std::adjacent_find(
            keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
        if (first == keys.end()) return;
        fail_at(std::next(first)->second, "another key", '"' + std::string(first->first) + "\" again");
    }

    std::string read_string() {
        ++at_;
        std::string value;
        while (!accept('"')) {
            if (at_ >= text_.size()) fail("the '\"' that ends a string");
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c < 0x20) fail("no control character in a string");
            if (c == '\\') {
                ++at_;
                read_escape(value);
                continue;
            }
            const std::size_t length = utf8_length(text_.substr(at_));
            if (length == 0) fail("valid UTF-8");
            value.append(text_.substr(at_, length));
            at_ += length;
        }
        return value;
    }

    void read_escape(std::string& value) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (accept('u')) {
            append_utf8(value, read_code_point());
            return;
        }
        const std::size_t which = at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
        if (which == std::string_view::npos) fail(R"(one of "\/bfnrtu after '\')");
        value += meanings[which];
        ++at_;
    }

    /// After "\u": four hexadecimal digits, or a surrogate pair.
    std::uint32_t read_code_point() {
        const std::size_t start = at_ - 2;
        const std::uint32_t first = read_four_digits();
        if (first < 0xD800 || first > 0xDFFF) return first;
        if (first <= 0xDBFF && accept('\\') && accept('u')) {
            const std::uint32_t second = read_four_digits();
            if (second >= 0xDC00 && second <= 0xDFFF) {
                return 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00);
            }
        }
        fail_at(start, "a pair of surrogates", "half of one");
    }

    std::uint32_t read_four_digits() {
        std::uint32_t value = 0;
        const std::string_view digits = text_.substr(at_, 4);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (error != std::errc() || end != digits.data() + 4) {
            fail_at(at_, "four hexadecimal digits", '"' + printable(digits) + '"');
        }
        at_ += 4;
        return value;
    }

    static std::string printable(std::string_view text) {
        std::string result(text);
        for (char& c : result) {
            if (c < ' ' || c > '~') c = '?';
        }
        return result;
    }

    void skip_digits() {
        if (peek() < '0' || peek() > '9') fail("a digit");
        while (peek() >= '0' && peek() <= '9') ++at_;
    }

    Json read_number() {
        const std::size_t start = at_;
        bool whole = true;
        if (!accept('-') && (peek() < '0' || peek() > '9')) fail("a value");
        if (!accept('0')) skip_digits();
        if (accept('.')) {
            whole = false;
            skip_digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            whole = false;
            ++at_;
            if (!accept('+')) accept('-');
            skip_digits();
        }
        return number_of(text_.substr(start, at_ - start), start, whole);
    }

    Json number_of(std::string_view digits, std::size_t start, bool whole) const {
        const char* end = digits.data() + digits.size();
        if (whole) {
            std::int64_t with_sign = 0;
            if (std::from_chars(digits.data(), end, with_sign).ec == std::errc()) return {with_sign};
            std::uint64_t without_sign = 0;
            if (std::from_chars(digits.data(), end, without_sign).ec == std::errc()) return {without_sign};
        }
        double value = 0;
        if (std::from_chars(digits.data(), end, value).ec != std::errc()) {
            fail_at(start, "a number that fits a double", std::string(digits.substr(0, 40)));
        }
        return {value};
    }

    std::string_view text_;
    std::string_view name_;
    std::size_t at_ = 0;
};

}  // namespace

Json Json::parse(std::string_view text, std::string_view name) {
    return Reader(text, name).document();
}

}  // namespace vgg19::model
