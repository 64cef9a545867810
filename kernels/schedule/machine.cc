#include "kernels/schedule/machine.h"

#include <algorithm>
#include <cmath>

namespace vgg19::kernels {

namespace {

/// The time to read `bytes` from a level by `workers` threads with equal tasks, of which the busiest reads
/// `share` of the bytes.
double read_seconds(const Machine& machine, const Bandwidth& bandwidth, double bytes, double share,
                    std::size_t workers) {
    const auto at = [](double amount, double rate) { return rate > 0 ? amount / rate : 0; };
    const std::size_t cores = machine.cores_of_cluster;
    const double of_cluster =
        cores == 0 || workers <= cores ? 1 : static_cast<double>(cores) / static_cast<double>(workers);
    return std::max({at(bytes * share, bandwidth.core), at(bytes * of_cluster, bandwidth.cluster),
                     at(bytes, bandwidth.all)});
}

/// The last threads to arrive are waited for; threads arrive as in a tree.
double barrier_seconds(const Machine& machine, int threads) {
    return threads > 1 ? machine.barrier_seconds * std::log2(static_cast<double>(threads)) : 0;
}

void add_phase(const Machine& machine, const Phase& phase, int threads, ExpectedTime& time) {
    const auto count = static_cast<std::size_t>(std::max(threads, 1));
    const std::size_t tasks = std::max<std::size_t>(phase.tasks, 1);
    const std::size_t most = (tasks + count - 1) / count;  // of a thread
    const double share = static_cast<double>(most) / static_cast<double>(tasks);

    const double arithmetic = phase.cycles * share / machine.hertz;
    double longest = arithmetic;
    double sum = arithmetic;
    for (std::size_t level = 0; level < level_count; ++level) {
        const double seconds = read_seconds(machine, machine.bandwidth[level], phase.bytes[level], share,
                                            std::min(tasks, count));
        longest = std::max(longest, seconds);
        sum += seconds;
        time.level_seconds[level] += seconds;
    }
    const double barrier = barrier_seconds(machine, threads);
    time.arithmetic_seconds += arithmetic;
    time.barrier_seconds += barrier;
    time.seconds += longest + machine.not_hidden * (sum - longest) + barrier;
}

}  // namespace

const char* level_name(Level level) {
    constexpr const char* names[] = {"L2", "L3", "memory"};
    return names[static_cast<std::size_t>(level)];
}

Level Machine::home(double bytes) const {
    constexpr double part = 0.5;
    if (bytes <= part * static_cast<double>(l2_bytes)) return Level::l2;
    return bytes <= part * static_cast<double>(l3_bytes) ? Level::l3 : Level::memory;
}

std::size_t Machine::clusters(int threads) const {
    const auto count = static_cast<std::size_t>(std::max(threads, 1));
    return cores_of_cluster == 0 ? 1 : (count + cores_of_cluster - 1) / cores_of_cluster;
}

const char* ExpectedTime::limit() const {
    const double* level = std::max_element(level_seconds, level_seconds + level_count);
    if (arithmetic_seconds >= std::max(*level, barrier_seconds)) return "arithmetic";
    if (barrier_seconds > *level) return "barrier";
    return level_name(static_cast<Level>(level - level_seconds));
}

ExpectedTime expected_time(const Machine& machine, std::span<const Phase> phases, int threads) {
    ExpectedTime time;
    for (const Phase& phase : phases) add_phase(machine, phase, threads, time);
    return time;
}

double expected_seconds(const Machine& machine, std::span<const Phase> phases, int threads) {
    return expected_time(machine, phases, threads).seconds;
}

}  // namespace vgg19::kernels
