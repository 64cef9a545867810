#include "engine/model/json_reader.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <forward_list>
#include <iterator>
#include <system_error>
#include <utility>

#include "engine/model/foreign_text.h"
#include "engine/model/utf8.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr int max_depth = 64;

}  // namespace

void JsonReader::fail_at(std::size_t offset, std::string_view expected, std::string_view found) const {
    throw Error(ErrorKind::bad_input, std::string(name_) + ": byte " + std::to_string(offset) +
                                          ": expected " + std::string(expected) + ", found " +
                                          std::string(found));
}

std::string JsonReader::found_here() const {
    if (at_ >= text_.size()) return "the end of the text";
    const char c = text_[at_];
    if (c > ' ' && c < '\x7f') return std::string("'") + c + "'";
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return std::string("byte 0x") + digits[byte >> 4U] + digits[byte & 15U];
}

bool JsonReader::accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
}

void JsonReader::skip_white_space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos) {
        ++at_;
    }
}

JsonReader::Kind JsonReader::next() {
    skip_white_space();
    const char c = peek();
    switch (c) {
        case '{':
            return Kind::object;
        case '[':
            return Kind::array;
        case '"':
            return Kind::string;
        case 't':
        case 'f':
            return Kind::boolean;
        case 'n':
            return Kind::null;
        default:
            if (c != '-' && (c < '0' || c > '9')) fail("a value");
            return Kind::number;
    }
}

/// Steps into an array or object.
void JsonReader::open() {
    if (depth_ == max_depth) fail_at(at_, "at most " + std::to_string(max_depth) + " levels", "more");
    ++depth_;
    ++at_;
    skip_white_space();
}

void JsonReader::array(const std::function<void()>& read_element) {
    open();
    if (!accept(']')) {
        do {
            read_element();
            skip_white_space();
        } while (accept(','));
        if (!accept(']')) fail("',' or ']'");
    }
    --depth_;
}

void JsonReader::object(const std::function<void(std::string& key)>& read_value) {
    open();
    std::forward_list<std::string> decoded;  // keys with escapes; others are views into the text
    Keys keys;
    if (!accept('}')) {
        do {
            skip_white_space();
            if (peek() != '"') fail("a key");
            const std::size_t start = at_;
            std::string key = string();
            std::string_view in_text = text_.substr(start + 1, at_ - start - 2);
            if (in_text.size() != key.size()) in_text = decoded.emplace_front(key);
            keys.push_back({in_text, start});
            // Not at the end alone: memory for keys that are all alike would be a gift.
            if (std::has_single_bit(keys.size())) reject_repeated_keys(keys);
            skip_white_space();
            if (!accept(':')) fail("':'");
            read_value(key);
            skip_white_space();
        } while (accept(','));
        if (!accept('}')) fail("',' or '}'");
    }
    reject_repeated_keys(keys);
    --depth_;
}

/// Sorts first: comparing all pairs would take hours for a text with very many keys.
void JsonReader::reject_repeated_keys(Keys& keys) const {
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
        const int order = a.text.compare(b.text);
        return order != 0 ? order < 0 : a.offset < b.offset;
    });
    const auto first = std::adjacent_find(keys.begin(), keys.end(),
                                          [](const Key& a, const Key& b) { return a.text == b.text; });
    if (first == keys.end()) return;
    fail_at(std::next(first)->offset, "another key", in_quotes(first->text) + " again");
}

Json JsonReader::value() {
    const Kind kind = next();
    if (kind == Kind::array) return array_value();
    if (kind == Kind::object) return object_value();
    return scalar(kind);
}

void JsonReader::skip() {
    const Kind kind = next();
    if (kind == Kind::array) {
        array([this] { skip(); });
    } else if (kind == Kind::object) {
        object([this](const std::string&) { skip(); });
    } else {
        scalar(kind);
    }
}

Json JsonReader::scalar(Kind kind) {
    switch (kind) {
        case Kind::string:
            return {string()};
        case Kind::boolean:
            return peek() == 't' ? word("true", Json(true)) : word("false", Json(false));
        case Kind::null:
            return word("null", Json());
        default:
            return number();
    }
}

/// Collects in a list that grows without moving, and then in one that has the right size.
Json JsonReader::array_value() {
    std::deque<Json> elements;
    array([&] { elements.push_back(value()); });
    return {Json::Array(std::make_move_iterator(elements.begin()), std::make_move_iterator(elements.end()))};
}

Json JsonReader::object_value() {
    std::deque<Json::Member> members;
    object([&](std::string& key) {
        Json::Member& member = members.emplace_back(std::move(key), Json());
        member.second = value();
    });
    return {Json::Object(std::make_move_iterator(members.begin()), std::make_move_iterator(members.end()))};
}

Json JsonReader::word(std::string_view word, Json value) {
    for (const char c : word) {
        if (!accept(c)) fail(word);
    }
    return value;
}

std::string JsonReader::string() {
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

void JsonReader::read_escape(std::string& value) {
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
std::uint32_t JsonReader::read_code_point() {
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

std::uint32_t JsonReader::read_four_digits() {
    std::uint32_t value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + 4) {
        fail_at(at_, "four hexadecimal digits", in_quotes(digits));
    }
    at_ += 4;
    return value;
}

void JsonReader::skip_digits() {
    if (peek() < '0' || peek() > '9') fail("a digit");
    while (peek() >= '0' && peek() <= '9') ++at_;
}

Json JsonReader::number() {
    const std::size_t start = at_;
    bool whole = true;
    accept('-');
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

Json JsonReader::number_of(std::string_view digits, std::size_t start, bool whole) const {
    const char* end = digits.data() + digits.size();
    if (whole && digits != "-0") {  // whole numbers have no zero with a sign
        std::int64_t with_sign = 0;
        if (std::from_chars(digits.data(), end, with_sign).ec == std::errc()) return {with_sign};
        std::uint64_t without_sign = 0;
        if (std::from_chars(digits.data(), end, without_sign).ec == std::errc()) return {without_sign};
    }
    double value = 0;
    if (std::from_chars(digits.data(), end, value).ec != std::errc()) {
        fail_at(start, "a number that fits a double", printable(digits));
    }
    return {value};
}

void JsonReader::end() {
    skip_white_space();
    if (at_ < text_.size()) fail("the end of the text");
}

Json Json::parse(std::string_view text, std::string_view name) {
    JsonReader reader(text, name);
    Json value = reader.value();
    reader.end();
    return value;
}

}  // namespace vgg19::model
