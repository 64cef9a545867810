// Text of unknown origin (a tensor's name, a file's, what a client sent) in messages and tables.
#pragma once

#include <cstddef>
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

/// A whole message, whose lines are kept, and its length too: the last protection of a terminal.
std::string printable_lines(std::string_view text);

}  // namespace vgg19::model
