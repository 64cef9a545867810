#include "tools/serve/job_store.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace vgg19::server {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes keeping_time{1};
constexpr std::size_t most_finished = 16;

/// From the system's source, which cannot be predicted.
std::string random_name() {
    constexpr const char* digits = "0123456789abcdef";
    std::array<unsigned char, 16> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    std::string name;
    for (const unsigned char byte : bytes) {
        name += digits[byte >> 4U];
        name += digits[byte & 15U];
    }
    return name;
}

}  // namespace

std::string JobStore::add(std::shared_ptr<Job> job) {
    std::string name = random_name();
    const std::scoped_lock lock(mutex_);
    forget_old_ones();
    jobs_[name] = std::move(job);
    return name;
}

void JobStore::remove(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    jobs_.erase(name);
}

std::shared_ptr<Job> JobStore::find(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    forget_old_ones();
    const auto found = jobs_.find(name);
    return found == jobs_.end() ? nullptr : found->second;
}

bool JobStore::remove_old() noexcept {
    const std::scoped_lock lock(mutex_);
    return forget_old_ones();
}

bool JobStore::remove_oldest() noexcept {
    Jobs::node_type removed;  // destroyed without the lock
    const std::scoped_lock lock(mutex_);
    const auto oldest = oldest_finished();
    if (oldest == jobs_.end()) return false;
    removed = jobs_.extract(oldest);
    return true;
}

JobStore::Jobs::iterator JobStore::oldest_finished() {
    auto oldest = jobs_.end();
    std::optional<Clock::time_point> its_end;
    for (auto job = jobs_.begin(); job != jobs_.end(); ++job) {
        const auto end = job->second->events().ended();
        if (!end || (its_end && *its_end <= *end)) continue;
        oldest = job;
        its_end = end;
    }
    return oldest;
}

bool JobStore::forget_old_ones() {
    const Clock::time_point now = Clock::now();
    auto finished = static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), [](const auto& job) {
        return job.second->events().ended().has_value();
    }));
    bool has_removed = false;
    for (; finished > 0; --finished) {
        const auto oldest = oldest_finished();
        if (finished <= most_finished && now - *oldest->second->events().ended() <= keeping_time) break;
        jobs_.erase(oldest);
        has_removed = true;
    }
    return has_removed;
}

}  // namespace vgg19::server
