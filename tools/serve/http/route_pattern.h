// Which paths a route answers.
#pragma once

#include <string>
#include <string_view>

namespace vgg19::http {

/// Whether `path` matches the pattern; sets `id` to the segment at {id}.
bool matches(std::string_view pattern, std::string_view path, std::string& id);

}  // namespace vgg19::http
