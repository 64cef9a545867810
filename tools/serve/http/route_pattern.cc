#include "tools/serve/http/route_pattern.h"

#include <cstddef>

namespace vgg19::http {

bool matches(std::string_view pattern, std::string_view path, std::string& id) {
    constexpr std::string_view placeholder = "{id}";
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

}  // namespace vgg19::http
