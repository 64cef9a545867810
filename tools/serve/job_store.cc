#include "tools/serve/job_store.h"

#include <random>
#include <utility>

namespace vgg19::server {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes keeping_time{1};
constexpr std::size_t most_finished = 16;

std::string random_name() {
    constexpr const char* digits = "0123456789abcdef";
    constexpr std::size_t length = 32;
    std::random_device source;  // the system's source, which cannot be predicted
    std::string name;
    while (name.size() < length) {
        for (unsigned bits = source(), i = 0; i < 8; ++i, bits >>= 4U) name += digits[bits & 15U];
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

void JobStore::forget_old_ones() {
    const Clock::time_point now = Clock::now();
    std::multimap<Clock::time_point, std::string> finished;
    for (const auto& [name, job] : jobs_) {
        if (const auto end = job->events().ended()) finished.emplace(*end, name);
    }
    std::size_t left = finished.size();
    for (const auto& [end, name] : finished) {  // the oldest first
        if (left <= most_finished && now - end <= keeping_time) break;
        jobs_.erase(name);
        --left;
    }
}

}  // namespace vgg19::server
