// Reads one request after the other from a connection's bytes, however they are cut into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "tools/serve/http/limits.h"
#include "tools/serve/http/request.h"

namespace vgg19::http {

/// The parser is Boost.Beast's. Refused in addition: folded lines, lines that end without CR LF, repeated
/// fields that must be unique, lists in Content-Length, transfer codings other than chunked, control
/// characters in a chunk's extensions, and everything that is longer than the limits.
class RequestReader {
  public:
    explicit RequestReader(const Limits& limits);
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// Reads from `bytes`, which begin with those that the last call did not use, and returns how many it
    /// used. It stops after the head and at the end of the request; otherwise a rest needs more bytes. `take`
    /// gets the body piece by piece; what it throws passes through. Throws Problem: 400, 413, 414, 431, 501,
    /// 505; then, and after any other exception, nothing more can be read.
    std::size_t read(std::string_view bytes, const std::function<void(std::string_view)>& take);

    bool has_head() const;
    bool is_complete() const;
    /// Only after the head; may be moved from.
    Request& request();
    /// After the head: a longer body is refused with 413.
    void limit_body(std::uint64_t most_bytes);
    /// Prepares for the next request.
    void reset();

  private:
    class Parser;

    std::size_t read_head(std::string_view bytes);
    std::size_t find_head_end(std::string_view head);
    std::size_t read_body(std::string_view bytes);

    const Limits& limits_;
    std::unique_ptr<Parser> parser_;
    std::size_t scanned_ = 0;  ///< bytes of an incomplete head in which nothing was found
    bool starts_ = true;       ///< nothing of the request has been seen but empty lines
};

}  // namespace vgg19::http
