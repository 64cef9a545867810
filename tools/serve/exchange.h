// A request and what becomes its answer, as the routes' handlers see them.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/json.h"
#include "tools/serve/connection.h"
#include "tools/serve/head.h"
#include "tools/serve/problem.h"

namespace vgg19::server {

struct Exchange {
    const Head& head;
    Connection& connection;
    httplib::Response& response;
    std::string path;                ///< decoded
    httplib::Params query;           ///< decoded
    std::string id;                  ///< what stands in the path for the route's {id}
    std::string body;                ///< empty where the route takes none
    std::vector<std::string> noted;  ///< lines for the answer's Server-Timing
};

/// What a route takes. Another content type is answered with 415.
enum class Body : unsigned char {
    none,
    image,   ///< image/*, application/octet-stream or multipart/form-data
    tensor,  ///< application/json or application/octet-stream; it may be left unsaid
};

struct Route {
    std::string pattern;  ///< "/v1/jobs/{id}/events": {id} stands for one segment
    std::string method;   ///< "GET" (which answers HEAD too) or "POST"
    Body body = Body::none;
    std::function<void(Exchange&)> handler;  ///< may throw Problem, Error, or anything else: 500
    /// Called before a body is read: throws Problem where there would be no use.
    std::function<void()> admit;
};

/// Whether `path` is of that pattern; then `id` is what its {id} stands for.
bool matches(std::string_view pattern, std::string_view path, std::string& id);

/// Throws Problem: 411 or 413 for a length, 415 for a content type that the route does not take.
void check_body(const Route& route, const Head& head, const Framing& framing, std::size_t most_bytes);

void answer_json(httplib::Response& response, int status, const model::Json& json);

/// In the shape of the API that `path` belongs to; 503 with Retry-After.
void answer_problem(httplib::Response& response, std::string_view path, const Problem& problem);

/// Sets Content-Type, ETag and the bytes; 304 and no bytes where the client has them.
void answer_bytes(Exchange& exchange, std::string_view bytes, const std::string& type,
                  const std::string& etag);

/// {"code", "message"}
model::Json problem_json(const Problem& problem);

/// The exception that is being handled, as a Problem.
Problem current_problem();

}  // namespace vgg19::server
