// What a job tells while it runs, for any number of listeners who may come late.
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
    std::string data;  ///< JSON in one line
};

/// Any thread may call anything.
class EventLog {
  public:
    void add(const std::string& name, const model::Json& data);
    /// Adds the last event.
    void end(const std::string& name, const model::Json& data);

    /// The event of that number, from 1 on; nothing where it did not come within that time, or never will.
    std::optional<Event> wait_for(std::size_t number, std::chrono::milliseconds time) const;
    /// Whether there is no event after that number, and never will be.
    bool is_over_after(std::size_t number) const;
    /// When the last event came; nothing before.
    std::optional<std::chrono::steady_clock::time_point> ended() const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable grown_;
    std::vector<Event> events_;
    std::optional<std::chrono::steady_clock::time_point> ended_;
};

/// As a stream of server-sent events has it.
std::string event_text(std::size_t number, const Event& event);

}  // namespace vgg19::server
