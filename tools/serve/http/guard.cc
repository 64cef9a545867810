#include "tools/serve/http/guard.h"

#include <algorithm>

#include "tools/serve/http/problem.h"

namespace vgg19::http {

namespace {

constexpr std::string_view scheme = "http://";
constexpr std::string_view default_port = ":80";

/// The position of the port's colon: the last one outside brackets; the end if there is none.
std::size_t port_position(std::string_view host) {
    const std::size_t colon = host.rfind(':');
    const std::size_t bracket = host.rfind(']');
    if (colon == std::string_view::npos) return host.size();
    return bracket != std::string_view::npos && colon < bracket ? host.size() : colon;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

bool is_wildcard(const std::string& host) {
    return host == "0.0.0.0" || host == "::";
}

std::string url_host(const std::string& host) {
    const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
    return bare_ipv6 ? "[" + host + "]" : host;
}

Guard::Guard(const std::string& bound_host, int port, const std::vector<std::string>& other_hosts) {
    std::vector<std::string> names = {"localhost", "127.0.0.1", "[::1]"};
    if (!is_wildcard(bound_host)) names.push_back(lower_case(url_host(bound_host)));
    for (const std::string& name : names) with_port_.push_back(name + ":" + std::to_string(port));
    for (const std::string& host : other_hosts) {
        const std::string name = lower_case(host);
        const bool has_port = port_position(name) != name.size();
        (has_port ? with_port_ : any_port_).push_back(name);
    }
}

bool Guard::knows(std::string_view host) const {
    std::string name = lower_case(host);
    const std::size_t port = port_position(name);
    if (contains(any_port_, name.substr(0, port))) return true;
    if (port == name.size()) name += default_port;
    return contains(with_port_, name);
}

void Guard::check(const Request& request) const {
    const std::string* host = request.find("host");
    if (host == nullptr || host->empty()) throw Problem(400, "bad_request", "header: Host is missing");
    if (!knows(*host)) {
        throw Problem(403, "forbidden_host",
                      "Host: not a name of this server; --allow-host NAME adds another");
    }
    const std::string* origin = request.find("origin");
    if (origin == nullptr) return;
    const std::string_view text = *origin;
    if (!text.starts_with(scheme) || lower_case(text.substr(scheme.size())) != lower_case(*host)) {
        throw Problem(403, "forbidden_origin", "Origin: not a page of this server");
    }
}

}  // namespace vgg19::http
