// Texts as words of a shell's command.
#pragma once

#include <string>
#include <string_view>

namespace vgg19::model {

/// In single quotes, as a POSIX shell reads it back: "it's" becomes 'it'\''s'.
inline std::string shell_quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char letter : text) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    return quoted + "'";
}

}  // namespace vgg19::model
