#include "tools/serve/metrics.h"

#include <unistd.h>

#include <fstream>
#include <new>
#include <sstream>

namespace vgg19::server {

namespace {

constexpr std::string_view no_route = "other";

std::string head(const std::string& name, const char* type, const char* help) {
    return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

std::string gauge(const std::string& name, const char* help, const std::string& value) {
    return head(name, "gauge", help) + name + " " + value + "\n";
}

std::string number_text(double number) {
    std::ostringstream text;
    text.precision(9);
    text << number;
    return text.str();
}

std::string histograms(const std::string& name, const char* help, const char* key,
                       const std::map<std::string, Histogram>& series) {
    std::string text = head(name, "histogram", help);
    for (const auto& [value, histogram] : series) text += histogram.text(name, label_text(key, value));
    return text;
}

/// A series with a value for each use of the budget.
template <class Value>
std::string by_use(MemoryBudget& budget, const std::string& name, const char* type, const char* help,
                   const Value& value) {
    return head(name, type, help) + name + "{use=\"held\"} " + std::to_string(value(budget.held())) + "\n" +
           name + "{use=\"working\"} " + std::to_string(value(budget.working())) + "\n";
}

std::string memory_text(MemoryBudget& budget) {
    return by_use(budget, "vgg19_memory_limit_bytes", "gauge",
                  "For requests that wait, arrive or are answered (held), and that run (working).",
                  [](const MemoryPool& pool) { return pool.bytes(); }) +
           by_use(budget, "vgg19_memory_reserved_bytes", "gauge", "Of the limit, what requests have now.",
                  [](const MemoryPool& pool) { return pool.usage().reserved; }) +
           by_use(budget, "vgg19_memory_most_reserved_bytes", "gauge", "The maximum since the start.",
                  [](const MemoryPool& pool) { return pool.usage().most_reserved; }) +
           by_use(budget, "vgg19_memory_refusals_total", "counter", "Requests for memory that was not free.",
                  [](const MemoryPool& pool) { return pool.usage().refusals; });
}

}  // namespace

void Histogram::add(double seconds) {
    ++count_;
    sum_ += seconds;
    for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
        if (seconds > latency_bounds[i]) continue;
        ++counts_[i];
        return;
    }
}

std::string Histogram::text(const std::string& name, const std::string& label) const {
    std::string text;
    std::uint64_t sum = 0;
    const auto add_bucket = [&](const std::string& bound, std::uint64_t count) {
        text += name + "_bucket{" + label + ",le=\"" + bound + "\"} " + std::to_string(count) + "\n";
    };
    for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
        sum += counts_[i];
        add_bucket(number_text(latency_bounds[i]), sum);
    }
    add_bucket("+Inf", count_);
    text += name + "_sum{" + label + "} " + number_text(sum_) + "\n";
    return text + name + "_count{" + label + "} " + std::to_string(count_) + "\n";
}

void Metrics::count_request(std::string_view route, int status, double seconds) noexcept {
    const std::scoped_lock lock(mutex_);
    try {
        const std::string name(route.empty() ? no_route : route);
        ++requests_[{name, status}];
        durations_[name].add(seconds);
    } catch (const std::bad_alloc&) {  // as the declaration says
    }
}

void Metrics::count_inference(const std::string& variant, double seconds) noexcept {
    const std::scoped_lock lock(mutex_);
    try {
        inferences_[variant].add(seconds);
    } catch (const std::bad_alloc&) {
    }
}

std::string Metrics::text(const Gauges& gauges) const {
    const std::scoped_lock lock(mutex_);
    std::string text = head("vgg19_requests_total", "counter", "Requests by route and status.");
    for (const auto& [key, count] : requests_) {
        text += "vgg19_requests_total{" + label_text("route", key.first) + ",status=\"" +
                std::to_string(key.second) + "\"} " + std::to_string(count) + "\n";
    }
    text += histograms("vgg19_request_duration_seconds", "From a request's first byte to its answer's last.",
                       "route", durations_);
    text +=
        histograms("vgg19_inference_duration_seconds", "From pixels to predictions.", "variant", inferences_);
    const std::chrono::duration<double> uptime = std::chrono::steady_clock::now() - start_;
    return text +
           gauge("vgg19_queue_length", "Requests that wait for a worker.",
                 std::to_string(gauges.queue_length)) +
           gauge("vgg19_in_flight", "Requests that a worker runs.", std::to_string(gauges.in_flight)) +
           gauge("vgg19_connections", "Open connections.", std::to_string(gauges.connections)) +
           (gauges.memory == nullptr ? "" : memory_text(*gauges.memory)) +
           gauge("vgg19_uptime_seconds", "Since the start.", number_text(uptime.count())) +
           gauge("process_resident_memory_bytes", "Memory, of mapped files too.",
                 std::to_string(resident_bytes()));
}

std::string label_text(const std::string& key, const std::string& value) {
    std::string text = key + "=\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        text += c == '\n' ? "\\n" : std::string(1, c);
    }
    return text + "\"";
}

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t pages = 0;
    std::uint64_t resident_pages = 0;
    if (!(file >> pages >> resident_pages)) return 0;
    return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace vgg19::server
