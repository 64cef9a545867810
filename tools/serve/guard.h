// Who may talk to the server: pages that come from it, under the names it is known by. A page from elsewhere
// whose name was made to resolve to this machine (DNS rebinding) gives itself away by its Host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/serve/head.h"

namespace vgg19::server {

class Guard {
  public:
    /// Lets through localhost, 127.0.0.1, [::1] and `bound_host` (when it is no wildcard) with that port; and
    /// `other_hosts`, NAME:PORT, or NAME with any port.
    Guard(const std::string& bound_host, int port, const std::vector<std::string>& other_hosts);

    /// Throws Problem: 400 where Host is missing, 403 for another Host or Origin.
    void check(const Head& head) const;

  private:
    bool knows(std::string_view host) const;

    std::vector<std::string> with_port_;  ///< in lower case
    std::vector<std::string> any_port_;
};

/// Whether that address stands for all that the machine has.
bool is_wildcard(const std::string& host);

/// As a URL has it: IPv6 addresses in brackets.
std::string url_host(const std::string& host);

}  // namespace vgg19::server
