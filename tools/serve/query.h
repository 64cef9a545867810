// The parameters of /v1/classify and /v1/jobs.
#pragma once

#include <string>
#include <vector>

#include "tools/serve/http/request.h"
#include "tools/serve/job.h"
#include "tools/serve/limits.h"

namespace vgg19::server {

/// Throws Problem (400) for a parameter that is unknown, repeated or out of range. `ids` are the existing
/// variants, in order.
JobRequest classify_request(const http::Query& query, const std::vector<std::string>& ids,
                            const Limits& limits);
JobRequest job_request(const http::Query& query, const std::vector<std::string>& ids, const Limits& limits);

}  // namespace vgg19::server
