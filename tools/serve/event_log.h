// A job's events, for any number of listeners, which may join late.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/json.h"

namespace vgg19::server {

struct Event {
    std::string name;
    std::string data;  ///< JSON on one line
};

/// Thread-safe.
class EventLog {
  public:
    void add(const std::string& name, const model::Json& data);
    /// Adds the last event.
    void end(const std::string& name, const model::Json& data);

    /// Event number `number`, counted from 1; none if it did not come in time, or never will.
    std::optional<Event> wait_for(std::size_t number, std::chrono::milliseconds time) const;
    /// Whether no event will follow after that number.
    bool is_over_after(std::size_t number) const;
    /// The time of the last event; none before it.
    std::optional<std::chrono::steady_clock::time_point> ended() const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable grown_;
    std::vector<Event> events_;
    std::optional<std::chrono::steady_clock::time_point> ended_;
};

/// The event in the format of server-sent events.
std::string event_text(std::size_t number, const Event& event);

}  // namespace vgg19::server
