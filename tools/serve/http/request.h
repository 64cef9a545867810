// A request's head, and numbers and percent-encoded text in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vgg19::http {

/// Decoded names and values, sorted by name; a name may occur more than once.
using Query = std::multimap<std::string, std::string, std::less<>>;

struct Request {
    std::string method;
    std::string target;  ///< from the first slash: path and query, percent-encoded
    std::string path;    ///< decoded
    Query query;
    std::string id;                                           ///< the path's segment at the route's {id}
    bool is_1_0 = false;                                      ///< HTTP/1.0, else 1.1
    std::vector<std::pair<std::string, std::string>> fields;  ///< names in lower case

    /// How the body's length is determined; neither: there is no body.
    bool chunked = false;
    std::optional<std::uint64_t> content_length;

    /// The value of the first field with that lower-case name; null if there is none.
    const std::string* find(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    /// "" if there is none.
    std::string_view value(std::string_view name) const;
    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
    /// Whether the client wants to close the connection after this request.
    bool closes() const;
};

/// Splits the request's target into path and query, and decodes both. Throws Problem (400) for a percent sign
/// without two hexadecimal digits.
void read_target(Request& request);

/// Parses a number that consists only of digits; none for other texts, and if it does not fit.
std::optional<std::uint64_t> whole_number(std::string_view text);

std::string lower_case(std::string_view text);

}  // namespace vgg19::http
