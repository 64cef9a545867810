#include "tools/serve/http/answer_text.h"

#include <array>
#include <boost/beast/http/status.hpp>
#include <charconv>

namespace vgg19::http {

namespace {

bool has_no_body(int status) {
    constexpr int no_content = 204;
    constexpr int not_modified = 304;
    return status == no_content || status == not_modified;
}

void append_field(std::string& text, std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string head_text(const Answer& answer, BodyFraming framing, std::string_view connection,
                      const Fields& common_fields) {
    constexpr std::size_t usual_bytes = 768;
    const auto reason = boost::beast::http::obsolete_reason(
        boost::beast::http::int_to_status(static_cast<unsigned>(answer.status)));
    std::string text;
    text.reserve(usual_bytes);
    text.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
    text.append(reason.data(), reason.size()).append("\r\n");
    if (!answer.type.empty()) append_field(text, "Content-Type", answer.type);
    if (framing == BodyFraming::chunks) {
        append_field(text, "Transfer-Encoding", "chunked");
    } else if (framing == BodyFraming::length && !has_no_body(answer.status)) {
        append_field(text, "Content-Length", std::to_string(body_of(answer).size()));
    }
    for (const auto& [name, value] : answer.fields) append_field(text, name, value);
    for (const auto& [name, value] : common_fields) append_field(text, name, value);
    if (!connection.empty()) append_field(text, "Connection", connection);
    return text.append("\r\n");
}

std::string_view body_of(const Answer& answer) {
    if (has_no_body(answer.status)) return {};
    return answer.lasting_body.empty() ? std::string_view(answer.body) : answer.lasting_body;
}

void append_chunk(std::string& text, std::string_view piece) {
    std::array<char, 2 * sizeof(std::size_t)> digits{};
    constexpr int hexadecimal = 16;
    const auto end = std::to_chars(digits.begin(), digits.end(), piece.size(), hexadecimal);
    text.append(digits.data(), end.ptr).append("\r\n").append(piece).append("\r\n");
}

}  // namespace vgg19::http
