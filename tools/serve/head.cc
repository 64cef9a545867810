#include "tools/serve/head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "tools/serve/problem.h"

namespace vgg19::server {

namespace {

constexpr std::string_view line_end = "\r\n";

[[noreturn]] void malformed(const std::string& message) {
    throw Problem(400, "bad_request", message);
}

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    const auto is_token_character = [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20U && c != '\t') || c == 0x7F;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void parse_request_line(std::string_view line, Head& head) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        malformed("request line: expected METHOD TARGET VERSION");
    }
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    head.version = line.substr(last + 1);
    if (!is_token(head.method)) malformed("request line: the method is no token");
    if (head.version != "HTTP/1.1" && head.version != "HTTP/1.0") {
        if (!head.version.starts_with("HTTP/")) malformed("request line: expected HTTP/1.1 at its end");
        throw Problem(505, "version_not_supported", "expected HTTP/1.1");
    }
    const auto is_visible = [](char c) { return c > ' ' && c < 0x7F; };
    if (!head.target.starts_with('/') || !std::all_of(head.target.begin(), head.target.end(), is_visible)) {
        malformed("request line: expected a target of visible ASCII characters that starts with a slash");
    }
}

void parse_field(std::string_view line, Head& head) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        malformed("header: expected NAME: VALUE on each line");
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (std::any_of(value.begin(), value.end(), is_control)) malformed("header: control character");
    head.fields.emplace_back(lower_case(line.substr(0, colon)), value);
}

/// Fields that must not be repeated, because a second one would make the request ambiguous.
void require_once(const Head& head) {
    constexpr std::array<std::string_view, 8> once = {"host",
                                                      "content-length",
                                                      "transfer-encoding",
                                                      "content-type",
                                                      "content-encoding",
                                                      "origin",
                                                      "expect",
                                                      "inference-header-content-length"};
    for (const std::string_view name : once) {
        const auto count = std::count_if(head.fields.begin(), head.fields.end(),
                                         [&](const auto& field) { return field.first == name; });
        if (count > 1) malformed("header: " + std::string(name) + " is there more than once");
    }
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

const std::string* Head::find(std::string_view name) const {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

std::string_view Head::value(std::string_view name) const {
    const std::string* found = find(name);
    return found == nullptr ? std::string_view{} : std::string_view(*found);
}

bool Head::closes() const {
    const std::string wish = lower_case(value("connection"));
    if (version == "HTTP/1.0") return wish != "keep-alive";
    return wish.find("close") != std::string::npos;
}

Head parse_head(std::string_view text) {
    Head head;
    bool first = true;
    while (true) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) malformed("header: expected an empty line at its end");
        const std::string_view line = text.substr(0, end + 1);
        if (!line.ends_with(line_end)) malformed("header: expected CR LF at the end of each line");
        const std::string_view content = line.substr(0, line.size() - line_end.size());
        if (content.empty()) break;
        if (first) {
            parse_request_line(content, head);
        } else {
            parse_field(content, head);
        }
        first = false;
        text.remove_prefix(line.size());
    }
    if (first) malformed("request line: there is none");
    require_once(head);
    return head;
}

Framing framing_of(const Head& head) {
    const std::string* length = head.find("content-length");
    const std::string* coding = head.find("transfer-encoding");
    if (length != nullptr && coding != nullptr) {
        malformed("header: both Content-Length and Transfer-Encoding");
    }
    if (coding != nullptr) {
        if (lower_case(*coding) == "chunked") return {.chunked = true, .length = {}};
        throw Problem(501, "not_implemented", "Transfer-Encoding: expected chunked");
    }
    if (length == nullptr) return {};
    const std::optional<std::uint64_t> number = whole_number(*length);
    if (!number) malformed("Content-Length: expected a whole number");
    return {.chunked = false, .length = number};
}

}  // namespace vgg19::server
