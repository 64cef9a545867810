// The error that is sent to a client.
#pragma once

#include "tools/serve/http/problem.h"

namespace vgg19::server {

using http::memory_is_short;
using http::Problem;

/// memory_is_short() if there is no memory for these texts.
Problem make_problem(int status, const char* code, const char* message) noexcept;

/// Converts the exception that is being handled; to memory_is_short() if there is no memory for more.
Problem current_problem() noexcept;

}  // namespace vgg19::server
