// A request and its answer, as seen by the routes' handlers.
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
    std::string id;                  ///< the path segment at the route's {id}
    std::string body;                ///< empty if the route accepts none
    std::vector<std::string> noted;  ///< entries of the answer's Server-Timing field
};

/// The kind of body that a route accepts. Other content types are answered with 415.
enum class Body : unsigned char {
    none,
    image,   ///< image/*, application/octet-stream or multipart/form-data
    tensor,  ///< application/json or application/octet-stream; the content type may be missing
};

struct Route {
    std::string pattern;  ///< "/v1/jobs/{id}/events": {id} matches one segment
    std::string method;   ///< "GET" (which answers HEAD too) or "POST"
    Body body = Body::none;
    std::function<void(Exchange&)> handler;  ///< may throw Problem or Error; other exceptions become 500
    /// Called before the body is read; throws Problem if the request would be refused anyway.
    std::function<void()> admit;
};

/// Whether `path` matches the pattern; sets `id` to the segment at {id}.
bool matches(std::string_view pattern, std::string_view path, std::string& id);

/// Throws Problem: 411 or 413 for a length, 415 for a content type that the route does not accept.
void check_body(const Route& route, const Head& head, const Framing& framing, std::size_t most_bytes);

void answer_json(httplib::Response& response, int status, const model::Json& json);

/// Writes the problem in the format of the API that `path` belongs to; 503 gets Retry-After.
void answer_problem(httplib::Response& response, std::string_view path, const Problem& problem);

/// Sets Content-Type, ETag and the bytes; or 304 without bytes if the client has them.
void answer_bytes(Exchange& exchange, std::string_view bytes, const std::string& type,
                  const std::string& etag);

/// {"code", "message"}
model::Json problem_json(const Problem& problem);

}  // namespace vgg19::server
