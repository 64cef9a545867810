// UTF-8 (RFC 3629), for the JSON reader and writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vgg19::model {

/// The number of bytes of the first character of `text`; 0 if it is invalid: truncated, overlong, a
/// surrogate, or above U+10FFFF.
std::size_t utf8_length(std::string_view text);

/// `code_point` is at most U+10FFFF and not a surrogate.
void append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace vgg19::model
