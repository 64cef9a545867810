// Answers in the API's formats, and what its routes ask of a request's body.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/json.h"
#include "tools/serve/http/server.h"
#include "tools/serve/problem.h"

namespace vgg19::server {

using ExchangePtr = std::shared_ptr<http::Exchange>;

/// The kind of body that a route accepts. Other content types are answered with 415.
enum class Body : unsigned char {
    image,   ///< image/*, application/octet-stream or multipart/form-data
    tensor,  ///< application/json or application/octet-stream; the content type may be missing
};

/// Throws Problem: 415 for a content type or encoding that is not accepted.
void check_type(Body body, const http::Request& request);

http::Answer json_answer(int status, const model::Json& json);

/// The problem in the format of the API that `path` belongs to; 503 gets Retry-After.
http::Answer problem_answer(const Problem& problem, std::string_view path);

/// The bytes, which must last as long as the server; or 304 without them if the client has them.
http::Answer bytes_answer(const http::Request& request, std::string_view bytes, const std::string& type,
                          const std::string& etag);

/// A route that `answer` answers at once, given the request.
template <typename Function>
http::Route get_route(const std::string& pattern, Function answer) {
    return {.pattern = pattern,
            .method = "GET",
            .admit = {},
            .handle = [answer = std::move(answer)](const ExchangePtr& exchange) {
                exchange->respond(answer(exchange->request()));
            }};
}

/// {"code", "message"}
model::Json problem_json(const Problem& problem);

/// Sent with every answer. The page may load only from this server, and no other page may embed it.
std::vector<std::pair<std::string, std::string>> security_fields();

}  // namespace vgg19::server
