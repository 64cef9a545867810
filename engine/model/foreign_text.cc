#include "engine/model/foreign_text.h"

#include <algorithm>
#include <cstdint>
#include <ostream>

#include "engine/model/utf8.h"

namespace vgg19::model {

namespace {

/// The character that a valid sequence of UTF-8 stands for.
std::uint32_t code_point_of(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return first;
    std::uint32_t code = first & (0x7FU >> sequence.size());
    for (const char next : sequence.substr(1)) code = code << 6U | (static_cast<unsigned char>(next) & 0x3FU);
    return code;
}

bool controls_a_terminal(std::uint32_t code) {
    const auto is_from_to = [code](std::uint32_t first, std::uint32_t last) {
        return code >= first && code <= last;
    };
    return code < 0x20 || is_from_to(0x7F, 0x9F) || is_from_to(0x2028, 0x202E) ||
           is_from_to(0x2066, 0x2069) || code == 0x061C || is_from_to(0x200E, 0x200F) || code == 0xFEFF;
}

std::string escaped(char letter, std::uint32_t code, unsigned digits) {
    constexpr std::string_view hexadecimal = "0123456789abcdef";
    std::string text = {'\\', letter};
    while (digits-- > 0) text += hexadecimal[code >> 4U * digits & 0xFU];
    return text;
}

/// The first character of `rest`, which is removed from it, as it is shown.
std::string take_character(std::string_view& rest) {
    const std::size_t length = utf8_length(rest);
    const std::string_view character = rest.substr(0, std::max<std::size_t>(length, 1));
    rest.remove_prefix(character.size());
    if (length == 0) return escaped('x', static_cast<unsigned char>(character[0]), 2);
    const std::uint32_t code = code_point_of(character);
    if (!controls_a_terminal(code)) return std::string(character);
    return code < 0x100 ? escaped('x', code, 2) : escaped('u', code, 4);
}

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

std::string escape_all(std::string_view text) {
    std::string result;
    while (!text.empty()) result += take_character(text);
    return result;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
    if (text.size() <= longest) return escape_all(text);
    std::size_t head = longest - longest / 3;  // the end of a path tells more than its middle
    while (head > 0 && continues_character(text[head])) --head;
    std::size_t tail = text.size() - longest / 3;
    while (tail < text.size() && continues_character(text[tail])) ++tail;
    return escape_all(text.substr(0, head)) + "…" + escape_all(text.substr(tail));
}

std::string in_quotes(std::string_view text, std::size_t longest) {
    std::string result = "\"";
    for (const char character : printable(text, longest)) {
        if (character == '"') result += '\\';
        result += character;
    }
    return result + '"';
}

std::string listed(std::span<const std::string> problems) {
    constexpr std::size_t most = 100;
    std::string text;
    for (const std::string& problem : problems.first(std::min(problems.size(), most))) {
        text += "\n  " + problem;
    }
    if (problems.size() > most) text += "\n  and " + std::to_string(problems.size() - most) + " more";
    return text;
}

std::ostream& operator<<(std::ostream& stream, PrintableLines lines) {
    std::string_view rest = lines.text;
    while (!rest.empty()) {
        if (rest[0] == '\n' || rest[0] == '\t') {
            stream << rest[0];
            rest.remove_prefix(1);
        } else {
            stream << take_character(rest);
        }
    }
    return stream;
}

}  // namespace vgg19::model
