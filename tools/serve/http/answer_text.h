// Answers as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/http/exchange.h"

namespace vgg19::http {

/// What follows the head.
enum class BodyFraming : unsigned char {
    length,    ///< Content-Length bytes; none for statuses without a body
    chunks,    ///< Transfer-Encoding: chunked
    to_close,  ///< up to the connection's end
};

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The status line and all fields, with the empty line. `connection` is the field's value; "": no such field.
std::string head_text(const Answer& answer, BodyFraming framing, std::string_view connection,
                      const Fields& common_fields);

/// The body's bytes; none for statuses that have no body.
std::string_view body_of(const Answer& answer);

/// `piece`, which must not be empty, as a chunk.
void append_chunk(std::string& text, std::string_view piece);

inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace vgg19::http
