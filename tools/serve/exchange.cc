#include "tools/serve/exchange.h"

namespace vgg19::server {

namespace {

using model::Json;

constexpr std::string_view placeholder = "{id}";
constexpr const char* retry_seconds = "1";

/// "image/png; q=1" → "image/png"
std::string media_type(std::string_view value) {
    value = value.substr(0, value.find(';'));
    return lower_case(value.substr(0, value.find_last_not_of(" \t") + 1));
}

bool takes(Body body, const std::string& type) {
    if (type == "application/octet-stream") return true;
    if (body == Body::image) return type.starts_with("image/") || type == "multipart/form-data";
    return type.empty() || type == "application/json";
}

}  // namespace

bool matches(std::string_view pattern, std::string_view path, std::string& id) {
    const std::size_t hole = pattern.find(placeholder);
    if (hole == std::string_view::npos) return pattern == path;
    const std::string_view before = pattern.substr(0, hole);
    const std::string_view after = pattern.substr(hole + placeholder.size());
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) {
        return false;
    }
    const std::string_view middle = path.substr(before.size(), path.size() - before.size() - after.size());
    if (middle.find('/') != std::string_view::npos) return false;
    id = middle;
    return true;
}

void check_body(const Route& route, const Head& head, const Framing& framing, std::size_t most_bytes) {
    const std::string type = media_type(head.value("content-type"));
    if (!takes(route.body, type)) {
        throw Problem(415, "unsupported_media_type",
                      route.body == Body::image
                          ? "Content-Type: expected image/*, application/octet-stream or "
                            "multipart/form-data"
                          : "Content-Type: expected application/json or "
                            "application/octet-stream");
    }
    const std::string_view encoding = head.value("content-encoding");
    if (!encoding.empty() && lower_case(encoding) != "identity") {
        throw Problem(415, "unsupported_media_type", "Content-Encoding: expected none");
    }
    if (!framing.chunked && !framing.length) {
        throw Problem(411, "length_required", "body: expected Content-Length, or chunks");
    }
    if (framing.length.value_or(0) > most_bytes) {
        throw Problem(413, "payload_too_large",
                      "body: expected at most " + std::to_string(most_bytes) + " bytes, found " +
                          std::to_string(*framing.length));
    }
    const std::string_view expectation = head.value("expect");
    if (!expectation.empty() && lower_case(expectation) != "100-continue") {
        throw Problem(417, "expectation_failed", "Expect: expected 100-continue");
    }
}

void answer_json(httplib::Response& response, int status, const Json& json) {
    response.status = status;
    response.set_content(json.dump() + "\n", "application/json");
}

Json problem_json(const Problem& problem) {
    Json json;
    json.set("code", problem.code());
    json.set("message", problem.what());
    return json;
}

void answer_problem(httplib::Response& response, std::string_view path, const Problem& problem) {
    const bool v2 = path == "/v2" || path.starts_with("/v2/");
    Json json;
    json.set("error", v2 ? Json(problem.what()) : problem_json(problem));
    response.content_provider_ = nullptr;
    if (problem.status() == 503) response.set_header("Retry-After", retry_seconds);
    answer_json(response, problem.status(), json);
}

void answer_bytes(Exchange& exchange, std::string_view bytes, const std::string& type,
                  const std::string& etag) {
    httplib::Response& response = exchange.response;
    response.set_header("ETag", etag);
    response.set_header("Cache-Control", "no-cache");  // clients must revalidate
    if (exchange.head.value("if-none-match").find(etag) != std::string_view::npos) {
        response.status = 304;
        return;
    }
    response.status = 200;
    response.set_content(bytes.data(), bytes.size(), type);
}

}  // namespace vgg19::server
