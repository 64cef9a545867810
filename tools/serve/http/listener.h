// The listening socket. No error of accept() ends it but its own end.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include "tools/serve/http/core.h"

namespace vgg19::http {

class Listener {
  public:
    /// `after_accepting` is called whenever connections were accepted, or could not be.
    Listener(Core& core, std::function<void()> after_accepting)
        : core_(core), after_accepting_(std::move(after_accepting)), descriptor_(core.context) {}
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Returns the port. Throws std::system_error.
    int bind(const std::string& host, int port);
    /// Waits for connections, if it does not already. After errors it is called again in a while.
    void arm();
    bool is_armed() const { return armed_ || !descriptor_.is_open(); }
    void close() noexcept;
    /// Why no connection can be accepted any more.
    std::error_code failure() const { return failure_; }

  private:
    void accept_some();
    bool recovers_from(int error);
    bool accept_with_spare() noexcept;
    void reserve_spare() noexcept;

    Core& core_;
    const std::function<void()> after_accepting_;
    boost::asio::posix::stream_descriptor descriptor_;
    int spare_ = -1;  ///< closed to refuse a connection when no other descriptor is left
    bool armed_ = false;
    std::error_code failure_;
};

}  // namespace vgg19::http
