// The head of an HTTP/1.1 request (RFC 9112), read more strictly than httplib does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vgg19::server {

struct Head {
    std::string method;
    std::string target;   ///< from the first slash: path and query, percent-encoded
    std::string version;  ///< "HTTP/1.1" or "HTTP/1.0"
    std::vector<std::pair<std::string, std::string>> fields;  ///< names in lower case

    /// The value of the field with that lower-case name; null if there is none.
    const std::string* find(std::string_view name) const;
    /// "" if there is none.
    std::string_view value(std::string_view name) const;
    /// Whether the client wants to close the connection after this request.
    bool closes() const;
};

/// `text` is the request line and the header fields, including the empty line at the end. Throws Problem: 400
/// for malformed text (bare line feeds, folded lines, repeated fields that must be unique), 505 for another
/// HTTP version.
Head parse_head(std::string_view text);

/// How the length of a body is determined.
struct Framing {
    bool chunked = false;
    std::optional<std::uint64_t> length;

    bool has_body() const { return chunked || length.value_or(0) > 0; }
};

/// Throws Problem: 400 for a length that is not a number or that comes with a transfer coding, 501 for a
/// coding other than chunked.
Framing framing_of(const Head& head);

/// Parses a number that consists only of digits; none for other texts, and if it does not fit.
std::optional<std::uint64_t> whole_number(std::string_view text);

std::string lower_case(std::string_view text);

}  // namespace vgg19::server
