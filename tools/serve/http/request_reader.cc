#include "tools/serve/http/request_reader.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <string>
#include <utility>

#include "tools/serve/http/problem.h"

namespace vgg19::http {

namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;
// Boost's own type of string view, as the parser's interface has it.
using BeastView = boost::beast::string_view;

std::string_view view(BeastView text) {
    return {text.data(), text.size()};
}

[[noreturn]] void malformed(const std::string& message) {
    throw Problem(400, "bad_request", message);
}

[[noreturn]] void too_long_head(std::size_t most) {
    throw Problem(431, "headers_too_large", "header: expected at most " + std::to_string(most) + " bytes");
}

[[noreturn]] void too_long_body(std::uint64_t most) {
    throw Problem(413, "payload_too_large", "body: expected at most " + std::to_string(most) + " bytes");
}

bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20U && c != '\t') || c == 0x7F;
}

bool is_visible_ascii(char c) {
    return c > ' ' && c < 0x7F;
}

bool is_hexadecimal(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// The number of bytes up to the first empty line's end; 0 if it is not there yet. Line ends before `from`
/// are known to be right. Refuses a line feed without a carriage return before it, and a folded line, of
/// which the parser would make one with the line before.
std::size_t find_empty_line(std::string_view text, std::size_t from) {
    for (std::size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        if (at == 0 || text[at - 1] != '\r') malformed("expected CR LF at the end of each line");
        if (at >= 3 && text[at - 2] == '\n') return at + 1;
        if (at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\t')) {
            malformed("header: a line begins with white space");
        }
    }
    return 0;
}

/// The size of the next chunk's first line, which `text` begins with, and what is before it: CR LF, unless
/// `is_first`. For the last chunk, up to the end of all fields. 0 if some of it has not come yet. The parser
/// alone would wait for the rest of what is wrong already.
std::size_t chunk_head_size(std::string_view text, bool is_first, const Limits& limits) {
    constexpr std::string_view line_end = "\r\n";
    const std::size_t begin = is_first ? 0 : line_end.size();
    if (!line_end.starts_with(text.substr(0, begin))) malformed("body: malformed chunk");
    if (text.size() <= begin) return 0;
    const std::string_view line = text.substr(begin);
    if (!is_hexadecimal(line[0])) malformed("body: expected a chunk's size in hexadecimal digits");
    const std::size_t end = line.find('\n');
    if (std::min(end, line.size()) > limits.chunk_line_bytes) {
        malformed("body: a chunk's first line is too long");
    }
    if (end == std::string_view::npos) return 0;
    if (line[end - 1] != '\r') malformed("expected CR LF at the end of each line");
    const bool is_last = !is_hexadecimal(line[std::min(line.find_first_not_of('0'), end)]);
    if (!is_last) return begin + end + 1;
    const std::size_t most = limits.chunk_line_bytes + limits.trailer_bytes;
    const std::size_t whole = find_empty_line(line.substr(0, most + 1), end);
    if ((whole == 0 ? line.size() : whole) > most) too_long_head(limits.trailer_bytes);
    return whole == 0 ? 0 : begin + whole;
}

/// 505 for a version that is not known, 400 for what is no version.
[[noreturn]] void refuse_version(std::string_view head) {
    const std::string_view line = head.substr(0, head.find('\r'));
    const std::string_view last = line.substr(std::min(line.rfind(' '), line.size() - 1) + 1);
    if (last.starts_with("HTTP/")) throw Problem(505, "version_not_supported", "expected HTTP/1.1");
    malformed("request line: expected HTTP/1.1 at its end");
}

/// Fields that must not be repeated, because a second one would make the request ambiguous.
bool must_be_unique(std::string_view name) {
    constexpr std::array<std::string_view, 7> once = {"host",         "content-length",   "transfer-encoding",
                                                      "content-type", "content-encoding", "origin",
                                                      "expect"};
    return std::find(once.begin(), once.end(), name) != once.end();
}

/// What was wrong, for the errors that a parser of requests has.
std::string message_of(const error_code& error) {
    if (error == beast::error::bad_method) return "request line: the method is no token";
    if (error == beast::error::bad_target) {
        return "request line: expected a target of visible ASCII characters that starts with a slash";
    }
    if (error == beast::error::bad_field) return "header: expected NAME: VALUE on each line";
    if (error == beast::error::bad_value) return "header: control character, or malformed list";
    if (error == beast::error::bad_content_length || error == beast::error::multiple_content_length) {
        return "Content-Length: expected one whole number, and no Transfer-Encoding";
    }
    if (error == beast::error::bad_transfer_encoding) {
        return "header: both Content-Length and Transfer-Encoding, or one of them twice";
    }
    if (error == beast::error::bad_chunk || error == beast::error::bad_chunk_extension) {
        return "body: malformed chunk";
    }
    return "the request is malformed: " + error.message();
}

}  // namespace

class RequestReader::Parser final : public beast::basic_parser<true> {
  public:
    Parser() { body_limit(boost::none); }

    Request request;
    const std::function<void(std::string_view)>* take = nullptr;
    std::uint64_t most_body_bytes = ~std::uint64_t{0};

    bool is_between_chunks() const { return is_chunked_ && chunk_rest_ == 0; }
    bool is_before_chunks() const { return is_first_; }

  private:
    void on_request_impl(beast::verb /*verb*/, BeastView method, BeastView target, int version,
                         error_code& /*error*/) override {
        request.method = view(method);
        request.target = view(target);
        request.is_1_0 = version == 10;
        const bool is_path = target.starts_with('/') &&
                             std::all_of(target.begin(), target.end(), is_visible_ascii) &&
                             target.find('#') == BeastView::npos;
        if (!is_path) malformed(message_of(beast::error::bad_target));
    }

    void on_field_impl(beast::field /*field*/, BeastView name, BeastView value,
                       error_code& /*error*/) override {
        if (is_header_done()) return;  // a trailer's fields, which have no meaning here
        std::string key = lower_case(view(name));
        if (must_be_unique(key) && request.find(key) != nullptr) {
            malformed("header: " + key + " is there more than once");
        }
        if (key == "content-length") {
            // The parser would take a list of equal numbers.
            request.content_length = whole_number(view(value));
            if (!request.content_length) malformed("Content-Length: expected a whole number");
        }
        if (key == "transfer-encoding") {
            // Before HTTP/1.1 nobody knew this field, so somebody in between may not have obeyed it.
            if (request.is_1_0) malformed("Transfer-Encoding: not in HTTP/1.0");
            if (lower_case(view(value)) != "chunked") {
                throw Problem(501, "not_implemented", "Transfer-Encoding: expected chunked");
            }
            request.chunked = is_chunked_ = true;
        }
        request.fields.emplace_back(std::move(key), view(value));
    }

    /// From Boost 1.90 on, a trailer's fields come here; before, there is no such function to override.
    void on_trailer_field_impl(beast::field /*field*/, BeastView /*name*/, BeastView /*value*/,
                               error_code& /*error*/) {}

    void on_header_impl(error_code& /*error*/) override {
        if (request.method.empty()) malformed("request line: there is none");
        read_target(request);
    }

    std::size_t on_body_impl(BeastView bytes, error_code& /*error*/) override {
        (*take)(view(bytes));
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t size, BeastView extensions, error_code& /*error*/) override {
        if (std::any_of(extensions.begin(), extensions.end(), is_control)) {
            malformed("body: control character in a chunk's extensions");
        }
        if (size > most_body_bytes - body_bytes_) too_long_body(most_body_bytes);
        body_bytes_ += size;
        chunk_rest_ = size;
        is_first_ = false;
    }

    std::size_t on_chunk_body_impl(std::uint64_t rest, BeastView bytes, error_code& /*error*/) override {
        (*take)(view(bytes));
        chunk_rest_ = rest - bytes.size();
        return bytes.size();
    }

    void on_response_impl(int /*code*/, BeastView /*reason*/, int /*version*/,
                          error_code& /*error*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, error_code& /*error*/) override {
    }
    void on_finish_impl(error_code& /*error*/) override {}

    bool is_chunked_ = false;
    std::uint64_t body_bytes_ = 0;  ///< of all chunks so far
    std::uint64_t chunk_rest_ = 0;  ///< bytes of the current chunk that are still to come
    bool is_first_ = true;          ///< no chunk has begun
};

RequestReader::RequestReader(const Limits& limits) : limits_(limits) {
    reset();
}

RequestReader::~RequestReader() = default;

void RequestReader::reset() {
    parser_ = std::make_unique<Parser>();
    scanned_ = 0;
    starts_ = true;
}

bool RequestReader::has_head() const {
    return parser_->is_header_done();
}

bool RequestReader::is_complete() const {
    return parser_->is_done();
}

Request& RequestReader::request() {
    return parser_->request;
}

void RequestReader::limit_body(std::uint64_t most_bytes) {
    parser_->most_body_bytes = most_bytes;
    if (parser_->request.content_length.value_or(0) > most_bytes) too_long_body(most_bytes);
}

std::size_t RequestReader::read(std::string_view bytes, const std::function<void(std::string_view)>& take) {
    parser_->take = &take;
    return has_head() ? read_body(bytes) : read_head(bytes);
}

/// Looks for the head's end before the parser sees any of it, so that what is told about a malformed head
/// does not depend on how it was cut into pieces.
std::size_t RequestReader::read_head(std::string_view bytes) {
    // Some clients send an empty line after a body.
    std::size_t empty = 0;
    while (starts_ && bytes.substr(empty).starts_with("\r\n")) empty += 2;
    const std::string_view head = bytes.substr(empty);
    if (starts_ && (head.empty() || head == "\r")) return empty;
    starts_ = false;
    // Reject what is no HTTP, such as a TLS greeting, without waiting for its end.
    if (head[0] < 'A' || head[0] > 'Z') malformed("expected an HTTP request");
    const std::size_t end = find_head_end(head);
    if (end == 0) return empty;
    error_code error;
    const std::size_t used = parser_->put(boost::asio::buffer(head.data(), end), error);
    if (error == beast::error::bad_version) refuse_version(head);
    // The parser may ask for more although the head is complete, if its first line is too short.
    if (error == beast::error::need_more) malformed("request line: expected METHOD TARGET VERSION");
    if (error.failed()) malformed(message_of(error));
    if (used != end) malformed("header: malformed");
    return empty + end;
}

/// 0 if it is not there yet.
std::size_t RequestReader::find_head_end(std::string_view head) {
    if (std::min(head.find('\n'), head.size()) > limits_.request_line_bytes) {
        throw Problem(
            414, "uri_too_long",
            "request line: expected at most " + std::to_string(limits_.request_line_bytes) + " bytes");
    }
    // What is behind the limit must not change what is said of it.
    const std::size_t end = find_empty_line(head.substr(0, limits_.head_bytes + 1), scanned_);
    if ((end == 0 ? head.size() : end) > limits_.head_bytes) too_long_head(limits_.head_bytes);
    scanned_ = head.size() - 1;  // the last byte again, with the next one, which may fold the line
    return end;
}

std::size_t RequestReader::read_body(std::string_view bytes) {
    std::size_t used = 0;
    while (!is_complete() && used < bytes.size()) {
        std::string_view rest = bytes.substr(used);
        if (parser_->is_between_chunks()) {
            // No more than that: what is said of it must not depend on what has come behind it.
            rest = rest.substr(0, chunk_head_size(rest, parser_->is_before_chunks(), limits_));
            if (rest.empty()) break;
        }
        error_code error;
        used += parser_->put(boost::asio::buffer(rest.data(), rest.size()), error);
        if (error == beast::error::need_more) error = beast::error::bad_chunk;
        if (error.failed()) malformed(message_of(error));
    }
    return used;
}

}  // namespace vgg19::http
