#include "tools/serve/event_log.h"

namespace vgg19::server {

void EventLog::add(const std::string& name, const model::Json& data) {
    const std::scoped_lock lock(mutex_);
    events_.push_back({name, data.dump()});
    grown_.notify_all();
}

void EventLog::end(const std::string& name, const model::Json& data) {
    const std::scoped_lock lock(mutex_);
    events_.push_back({name, data.dump()});
    ended_ = std::chrono::steady_clock::now();
    grown_.notify_all();
}

std::optional<Event> EventLog::wait_for(std::size_t number, std::chrono::milliseconds time) const {
    std::unique_lock lock(mutex_);
    grown_.wait_for(lock, time, [&] { return number <= events_.size() || ended_; });
    if (number > events_.size()) return std::nullopt;
    return events_[number - 1];
}

bool EventLog::is_over_after(std::size_t number) const {
    const std::scoped_lock lock(mutex_);
    return ended_ && number >= events_.size();
}

std::optional<std::chrono::steady_clock::time_point> EventLog::ended() const {
    const std::scoped_lock lock(mutex_);
    return ended_;
}

std::string event_text(std::size_t number, const Event& event) {
    return "id: " + std::to_string(number) + "\nevent: " + event.name + "\ndata: " + event.data + "\n\n";
}

}  // namespace vgg19::server
