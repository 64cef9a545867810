// Counters for GET /metrics, in Prometheus' text format 0.0.4.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "tools/serve/memory/memory_budget.h"

namespace vgg19::server {

/// Upper bounds in seconds.
inline constexpr std::array<double, 12> latency_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                          0.1,   0.25,   0.5,   1,    2.5,   10};

class Histogram {
  public:
    void add(double seconds);
    /// The series NAME_bucket, NAME_sum and NAME_count. `label` is `key="value"`.
    std::string text(const std::string& name, const std::string& label) const;

  private:
    std::array<std::uint64_t, latency_bounds.size()>
        counts_{};  ///< counted in the first bucket that holds it
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

/// The current state.
struct Gauges {
    std::size_t queue_length = 0;
    std::size_t in_flight = 0;
    std::size_t connections = 0;
    MemoryBudget* memory = nullptr;
};

/// Thread-safe.
class Metrics {
  public:
    // Where memory is short, these count nothing.

    /// `route` is a route's pattern, or "" if no route matched.
    void count_request(std::string_view route, int status, double seconds) noexcept;
    void count_inference(const std::string& variant, double seconds) noexcept;
    std::string text(const Gauges& gauges) const;

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, int>, std::uint64_t> requests_;
    std::map<std::string, Histogram> durations_;
    std::map<std::string, Histogram> inferences_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// `key="value"` with quotes, backslashes and line feeds escaped.
std::string label_text(const std::string& key, const std::string& value);

/// This process's memory, including mapped files; 0 if unknown.
std::uint64_t resident_bytes();

}  // namespace vgg19::server
