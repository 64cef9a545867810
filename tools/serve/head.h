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
    std::string target;   ///< from its first slash: path and query, percent-encoded
    std::string version;  ///< "HTTP/1.1" or "HTTP/1.0"
    std::vector<std::pair<std::string, std::string>> fields;  ///< names in lower case

    /// Of the field with that name in lower case; null where there is none.
    const std::string* find(std::string_view name) const;
    /// "" where there is none.
    std::string_view value(std::string_view name) const;
    /// Whether the client wants the connection closed after this request.
    bool closes() const;
};

/// `text` is the request line and the header fields, with the empty line that ends them. Throws Problem: 400
/// for what is malformed (bare line feeds, folded lines, fields twice that must be there once), 505 for
/// another HTTP.
Head parse_head(std::string_view text);

/// How the length of a body is known.
struct Framing {
    bool chunked = false;
    std::optional<std::uint64_t> length;

    bool has_body() const { return chunked || length.value_or(0) > 0; }
};

/// Throws Problem: 400 for a length that is no number or beside a transfer coding, 501 for a coding other
/// than chunked.
Framing framing_of(const Head& head);

/// The number that `text` is, digits alone; nothing where it is something else, or does not fit.
std::optional<std::uint64_t> whole_number(std::string_view text);

std::string lower_case(std::string_view text);

}  // namespace vgg19::server
