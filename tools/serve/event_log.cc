#include "tools/serve/event_log.h"

#include <algorithm>
#include <utility>

#include "tools/serve/problem.h"

namespace vgg19::server {

EventLog::EventLog(MemoryPool* memory)
    : memory_(memory),
      last_resort_(
          {{{.name = "failed", .data = R"({"error":{"code":"memory_short","message":"memory is short"}})"},
            {.name = "done", .data = R"({"state":"failed","ms":0,"latency":{}})"}}}) {}

EventLog::Stored EventLog::stored(const std::string& name, const model::Json& data) const {
    Stored stored{.event = {name, data.dump()}, .memory = {}};
    if (memory_ == nullptr) return stored;
    auto memory = memory_->reserve(sizeof(Stored) + stored.event.data.capacity());
    if (!memory) throw Problem(503, "memory_full", "the job's events: the server's memory is taken");
    stored.memory = std::move(*memory);
    return stored;
}

void EventLog::add(const std::string& name, const model::Json& data) {
    Stored event = stored(name, data);
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
    tell_listeners();
}

void EventLog::end(const std::string& name, const model::Json& data) {
    Stored event = stored(name, data);
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
    ended_ = std::chrono::steady_clock::now();
    tell_listeners();
}

void EventLog::end_without_memory() noexcept {
    const std::scoped_lock lock(mutex_);
    uses_last_resort_ = true;
    ended_ = std::chrono::steady_clock::now();
    tell_listeners();
}

void EventLog::listen(Listener& listener) {
    const std::scoped_lock lock(mutex_);
    listeners_.push_back(&listener);
}

void EventLog::leave(const Listener& listener) noexcept {
    const std::scoped_lock lock(mutex_);
    std::erase(listeners_, &listener);
}

void EventLog::tell_listeners() const noexcept {
    for (Listener* const listener : listeners_) listener->grown();
}

std::size_t EventLog::count() const {
    return events_.size() + (uses_last_resort_ ? last_resort_.size() : 0);
}

std::optional<Event> EventLog::find(std::size_t number) const {
    const std::scoped_lock lock(mutex_);
    if (number == 0 || number > count()) return std::nullopt;
    if (number <= events_.size()) return events_[number - 1].event;
    return last_resort_[number - 1 - events_.size()];
}

bool EventLog::is_over_after(std::size_t number) const {
    const std::scoped_lock lock(mutex_);
    return ended_ && number >= count();
}

std::optional<std::chrono::steady_clock::time_point> EventLog::ended() const {
    const std::scoped_lock lock(mutex_);
    return ended_;
}

std::string event_text(std::size_t number, const Event& event) {
    return "id: " + std::to_string(number) + "\nevent: " + event.name + "\ndata: " + event.data + "\n\n";
}

}  // namespace vgg19::server
