#include "tools/serve/answers.h"

namespace vgg19::server {

namespace {

using model::Json;

constexpr const char* retry_seconds = "1";

/// "image/png; q=1" → "image/png"
std::string media_type(std::string_view value) {
    value = value.substr(0, value.find(';'));
    return http::lower_case(value.substr(0, value.find_last_not_of(" \t") + 1));
}

bool takes(Body body, const std::string& type) {
    if (type == "application/octet-stream") return true;
    if (body == Body::image) return type.starts_with("image/") || type == "multipart/form-data";
    return type.empty() || type == "application/json";
}

}  // namespace

void check_type(Body body, const http::Request& request) {
    if (!takes(body, media_type(request.value("content-type")))) {
        throw Problem(415, "unsupported_media_type",
                      body == Body::image ? "Content-Type: expected image/*, application/octet-stream or "
                                            "multipart/form-data"
                                          : "Content-Type: expected application/json or "
                                            "application/octet-stream");
    }
    const std::string_view encoding = request.value("content-encoding");
    if (!encoding.empty() && http::lower_case(encoding) != "identity") {
        throw Problem(415, "unsupported_media_type", "Content-Encoding: expected none");
    }
}

http::Answer json_answer(int status, const Json& json) {
    return {.status = status, .type = "application/json", .body = json.dump() + "\n"};
}

Json problem_json(const Problem& problem) {
    Json json;
    json.set("code", problem.code());
    json.set("message", problem.what());
    return json;
}

http::Answer problem_answer(const Problem& problem, std::string_view path) {
    const bool v2 = path == "/v2" || path.starts_with("/v2/");
    Json json;
    json.set("error", v2 ? Json(problem.what()) : problem_json(problem));
    http::Answer answer = json_answer(problem.status(), json);
    if (problem.status() == 503) answer.fields.emplace_back("Retry-After", retry_seconds);
    return answer;
}

http::Answer bytes_answer(const http::Request& request, std::string_view bytes, const std::string& type,
                          const std::string& etag) {
    http::Answer answer;
    answer.fields = {{"ETag", etag}, {"Cache-Control", "no-cache"}};  // clients must revalidate
    if (request.value("if-none-match").find(etag) != std::string_view::npos) {
        answer.status = 304;
        return answer;
    }
    answer.type = type;
    answer.lasting_body = bytes;
    return answer;
}

std::vector<std::pair<std::string, std::string>> security_fields() {
    return {{"Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "no-referrer"},
            {"Cross-Origin-Resource-Policy", "same-origin"}};
}

}  // namespace vgg19::server
