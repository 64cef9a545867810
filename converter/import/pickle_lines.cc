// The operations of protocol 0; their arguments are text lines.
#include <charconv>
#include <optional>
#include <system_error>

#include "converter/import/pickle_machine.h"

namespace vgg19::converter {

using Kind = PickleKind;

namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return number;
}

bool all_digits(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The value of `count` hexadecimal digits at `begin`.
std::optional<std::uint32_t> hexadecimal(std::string_view text, std::size_t begin, std::size_t count) {
    if (begin > text.size() || text.size() - begin < count) return {};
    std::uint32_t number = 0;
    const char* first = text.data() + begin;
    const auto [end, error] = std::from_chars(first, first + count, number, 16);
    if (error != std::errc() || end != first + count) return {};
    return number;
}

void append_utf8(std::string& text, std::uint32_t code) {
    const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) return add(code);
    if (code < 0x800) {
        add(0xc0U | code >> 6U);
    } else if (code < 0x10000) {
        add(0xe0U | code >> 12U);
        add(0x80U | (code >> 6U & 0x3fU));
    } else {
        add(0xf0U | (code >> 18U & 7U));
        add(0x80U | (code >> 12U & 0x3fU));
        add(0x80U | (code >> 6U & 0x3fU));
    }
    add(0x80U | (code & 0x3fU));
}

/// The character that a backslash escape in Python's repr means.
std::optional<char> plain_escape(char letter) {
    switch (letter) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case '\\':
        case '\'':
        case '"':
            return letter;
        default:
            return {};
    }
}

/// The bytes that Python's repr of a byte string means; unknown escapes stay unchanged.
std::string without_escapes(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            const auto plain = plain_escape(text[i + 1]);
            const auto code = text[i + 1] == 'x' ? hexadecimal(text, i + 2, 2) : std::nullopt;
            if (plain || code) {
                result += plain ? *plain : static_cast<char>(*code);
                i += plain ? 1U : 3U;
                continue;
            }
        }
        result += text[i];
    }
    return result;
}

}  // namespace

void PickleMachine::set_own_text(Kind kind, std::string text) {
    contents_.texts.push_back(std::move(text));
    set_text(push(kind), contents_.texts.back());
}

/// In protocol 0, booleans are integers with two digits.
void PickleMachine::push_integer_line() {
    const std::string_view line = reader_.line("an integer");
    if (line == "00" || line == "01") return push_boolean(line == "01");
    if (const auto number = whole_number(line)) return push_integer(*number);
    if (!all_digits(line)) fail("expected an integer, found " + printable(line));
    set_text(push(Kind::big_integer), line);
}

void PickleMachine::push_long_line() {
    std::string_view line = reader_.line("an integer");
    if (line.ends_with('L')) line.remove_suffix(1);
    if (const auto number = whole_number(line)) return push_integer(*number);
    if (!all_digits(line)) fail("expected an integer, found " + printable(line));
    set_text(push(Kind::big_integer), line);
}

void PickleMachine::push_real_line() {
    const std::string_view line = reader_.line("a float");
    double real = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), real);
    if (error == std::errc::invalid_argument || end != line.data() + line.size()) {
        fail("expected a float, found " + printable(line));
    }
    push(Kind::real).integer = std::bit_cast<std::int64_t>(real);
}

/// In Python's notation: quoted, with escapes.
void PickleMachine::push_string_line() {
    const std::string_view line = reader_.line("a text");
    const bool quoted = line.size() >= 2 && (line[0] == '\'' || line[0] == '"') && line.back() == line[0];
    if (!quoted) fail("expected a text in quotes, found " + printable(line));
    const std::string_view inside = line.substr(1, line.size() - 2);
    if (inside.find('\\') == std::string_view::npos) return set_text(push(Kind::text), inside);
    set_own_text(Kind::text, without_escapes(inside));
}

/// Latin 1, with \u and \U for other characters ("raw-unicode-escape").
void PickleMachine::push_unicode_line() {
    const std::string_view line = reader_.line("a text");
    std::string text;
    text.reserve(line.size());
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool escape =
            line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U');
        const std::size_t digits = escape && line[i + 1] == 'u' ? 4 : 8;
        const auto code = escape ? hexadecimal(line, i + 2, digits) : std::nullopt;
        append_utf8(text, code ? *code : static_cast<unsigned char>(line[i]));
        if (code) i += 1 + digits;
    }
    set_own_text(Kind::text, std::move(text));
}

void PickleMachine::push_persistent_line() {
    const PickleReference id = make(Kind::text);
    set_text(value(id), reader_.line("a persistent id"));
    push_items(Kind::persistent_id, {id});
}

std::size_t PickleMachine::index_line() {
    const std::string_view line = reader_.line("a memo index");
    const auto index = whole_number(line);
    if (!index || *index < 0) fail("expected a memo index, found " + printable(line));
    return static_cast<std::size_t>(*index);
}

}  // namespace vgg19::converter
