// Text of unknown origin (a tensor's name, a file's, what a client sent) in messages and tables.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace vgg19::model {

inline constexpr std::size_t longest_printable = 100;

/// The text as a terminal may show it, in one line: characters that control one (those below U+0020, U+007F
/// to U+009F, separators of lines, and those that change the direction of writing) and bytes that are not
/// UTF-8 as "\x1b" or "\u202e". Above `longest` bytes the middle is left out: "abc…xyz".
std::string printable(std::string_view text, std::size_t longest = longest_printable);

/// The same in double quotes, with a backslash before each quote in it.
std::string in_quotes(std::string_view text, std::size_t longest = longest_printable);

/// Problems for a message, each in a line of its own: "\n  a\n  b"; of more than a hundred the first ones,
/// and how many there are more.
std::string listed(std::span<const std::string> problems);

/// A whole message, for a stream: its lines are kept, and its length too. Takes no memory, so that it can
/// tell that there is none.
struct PrintableLines {
    std::string_view text;
    friend std::ostream& operator<<(std::ostream& stream, PrintableLines lines);
};
inline PrintableLines printable_lines(std::string_view text) {
    return {text};
}

}  // namespace vgg19::model
