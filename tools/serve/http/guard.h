// Decides who may talk to the server: pages that it served itself, under its known names. The Host field
// reveals a foreign page whose name resolves to this machine (DNS rebinding).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/serve/http/request.h"

namespace vgg19::http {

class Guard {
  public:
    /// Accepts localhost, 127.0.0.1, [::1] and `bound_host` (unless it is a wildcard) with that port; and
    /// `other_hosts`, NAME:PORT, or NAME with any port.
    Guard(const std::string& bound_host, int port, const std::vector<std::string>& other_hosts);

    /// Throws Problem: 400 if Host is missing, 403 for another Host or Origin.
    void check(const Request& request) const;

  private:
    bool knows(std::string_view host) const;

    std::vector<std::string> with_port_;  ///< in lower case
    std::vector<std::string> any_port_;
};

/// Whether the address means all addresses of the machine.
bool is_wildcard(const std::string& host);

/// The host for a URL: IPv6 addresses in brackets.
std::string url_host(const std::string& host);

}  // namespace vgg19::http
