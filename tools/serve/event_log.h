// A job's events, for any number of listeners, which may join late.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "tools/serve/memory/memory_budget.h"

namespace vgg19::server {

struct Event {
    std::string name;
    std::string data;  ///< JSON on one line
};

/// Thread-safe.
class EventLog {
  public:
    /// Told of every event, under the log's lock: it must not call the log.
    class Listener {
      public:
        virtual ~Listener() = default;
        virtual void grown() noexcept = 0;
    };

    /// `memory` accounts for the events, if it is not null.
    explicit EventLog(MemoryPool* memory = nullptr);

    /// Throws Problem (503) if `memory` has no room for it, or std::bad_alloc; then nothing has changed.
    void add(const std::string& name, const model::Json& data);
    /// Adds the last event.
    void end(const std::string& name, const model::Json& data);
    /// Ends the log where there is no memory for its last events: tells so by events that exist already.
    void end_without_memory() noexcept;

    /// Until leave(). `listener` must live as long.
    void listen(Listener& listener);
    void leave(const Listener& listener) noexcept;

    /// Event number `number`, counted from 1; none if it has not come yet, or never will.
    std::optional<Event> find(std::size_t number) const;
    /// Whether no event will follow after that number.
    bool is_over_after(std::size_t number) const;
    /// The time of the last event; none before it.
    std::optional<std::chrono::steady_clock::time_point> ended() const;

  private:
    struct Stored {
        Event event;
        Reservation memory;
    };

    Stored stored(const std::string& name, const model::Json& data) const;
    void tell_listeners() const noexcept;  // with the lock
    std::size_t count() const;             // with the lock

    MemoryPool* memory_;
    const std::array<Event, 2> last_resort_;
    mutable std::mutex mutex_;
    std::vector<Stored> events_;
    bool uses_last_resort_ = false;
    std::vector<Listener*> listeners_;
    std::optional<std::chrono::steady_clock::time_point> ended_;
};

/// The event in the format of server-sent events.
std::string event_text(std::size_t number, const Event& event);

}  // namespace vgg19::server
