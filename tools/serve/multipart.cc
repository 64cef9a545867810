#include "tools/serve/multipart.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "tools/serve/http/request.h"
#include "tools/serve/problem.h"

namespace vgg19::server {

namespace {

constexpr std::string_view media_type = "multipart/form-data";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::size_t most_parts = 16;
constexpr std::size_t most_head_bytes = 8192;

struct Part {
    bool is_file = false;
    std::string_view content;
};

[[noreturn]] void malformed(const std::string& message) {
    throw Problem(400, "bad_request", "form: " + message);
}

/// The `boundary=…` of the content type, quoted or not.
std::string boundary_of(std::string_view content_type) {
    constexpr std::string_view key = "boundary=";
    const std::size_t at = http::lower_case(content_type).find(key);
    if (at == std::string::npos) malformed("Content-Type: expected a boundary");
    std::string_view text = content_type.substr(at + key.size());
    if (text.starts_with('"')) {
        text.remove_prefix(1);
        text = text.substr(0, text.find('"'));
    } else {
        text = text.substr(0, text.find_first_of("; \t"));
    }
    constexpr std::size_t longest = 70;  // RFC 2046
    if (text.empty() || text.size() > longest) malformed("Content-Type: expected a boundary of 1 to 70");
    return std::string(text);
}

/// Parses the text between a delimiter line and the next delimiter.
Part parse_part(std::string_view text) {
    // A part without header fields begins directly with the empty line.
    const bool has_fields = !text.starts_with(line_end);
    const std::size_t end = has_fields ? text.substr(0, most_head_bytes).find(head_end) : 0;
    if (end == std::string_view::npos) {
        malformed("expected an empty line after a part's header of at most " +
                  std::to_string(most_head_bytes) + " bytes");
    }
    const std::string fields = http::lower_case(text.substr(0, end));
    // Either "filename" or "filename*", whatever the name is.
    const bool is_file = fields.find("filename") != std::string::npos;
    return {.is_file = is_file, .content = text.substr(end + (has_fields ? head_end : line_end).size())};
}

/// text.find(searched), in a time that does not depend on what the text is made of: a client could choose one
/// of which every byte begins what is searched for.
std::size_t position_of(std::string_view searched, std::string_view text) {
    const void* const found = ::memmem(text.data(), text.size(), searched.data(), searched.size());
    if (found == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::vector<Part> parse_parts(std::string_view body, const std::string& boundary) {
    const std::string delimiter = "\r\n--" + boundary;
    // The first delimiter may be at the very beginning, without a preceding line end.
    const std::string_view first = std::string_view(delimiter).substr(line_end.size());
    const std::size_t start = body.starts_with(first) ? first.size() : position_of(delimiter, body);
    if (start == std::string_view::npos) malformed("expected a part");
    body.remove_prefix(body.starts_with(first) ? start : start + delimiter.size());
    std::vector<Part> parts;
    while (!body.starts_with("--")) {
        const std::size_t line = body.substr(0, most_head_bytes).find(line_end);
        if (line == std::string_view::npos ||
            body.substr(0, line).find_first_not_of(" \t") != std::string_view::npos) {
            malformed("expected a line's end after a boundary");
        }
        body.remove_prefix(line + line_end.size());
        const std::size_t end = position_of(delimiter, body);
        if (end == std::string_view::npos) malformed("expected the boundary at a part's end");
        if (parts.size() == most_parts) malformed("expected at most 16 parts");
        parts.push_back(parse_part(body.substr(0, end)));
        body.remove_prefix(end + delimiter.size());
    }
    return parts;
}

}  // namespace

bool is_form(std::string_view content_type) {
    return http::lower_case(content_type).starts_with(media_type);
}

std::string_view file_of_form(std::string_view body, std::string_view content_type) {
    const std::vector<Part> parts = parse_parts(body, boundary_of(content_type));
    const auto files =
        std::count_if(parts.begin(), parts.end(), [](const Part& part) { return part.is_file; });
    if (files == 1) {
        const auto file =
            std::find_if(parts.begin(), parts.end(), [](const Part& part) { return part.is_file; });
        return file->content;
    }
    if (files == 0 && parts.size() == 1) return parts.front().content;
    malformed("expected one file, found " + std::to_string(files) + " among " + std::to_string(parts.size()) +
              " parts");
}

}  // namespace vgg19::server
