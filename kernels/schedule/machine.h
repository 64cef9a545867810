// What schedules and the planner's cost model know of a CPU, and how long work takes on it.
//
// The model of a phase of work: each thread does its share of tasks at the rates of a core, and the bytes
// that all threads read from a level cannot come faster than that level gives them. Of arithmetic and the
// levels, the slowest determines the time; a fitted part of the others does not overlap with it.
// docs/kernels.md.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kernels/isa/isa.h"

namespace vgg19::kernels {

/// A count, for formulas of time.
constexpr double real(std::size_t count) {
    return static_cast<double>(count);
}

/// Where data comes from.
enum class Level : unsigned char { l2, l3, memory };
inline constexpr std::size_t level_count = 3;
/// "L2", "L3", "memory".
const char* level_name(Level level);

/// Bytes per second that can be read from a level; 0 means no limit but that of the cores.
struct Bandwidth {
    double core = 0;     ///< by one core alone
    double cluster = 0;  ///< by all cores together that share an L3 cache
    double all = 0;      ///< by all cores of the CPU together
};

/// A CPU, by microarchitecture or as measured by `vgg19 tune`, for kernels of one ISA. Rates are per core.
struct Machine {
    std::string name;  ///< "zen4", "golden_cove", …
    double hertz = 0;  ///< under vector load
    /// Per cycle, each on a whole Vector (kernels/simd/vector.h) of the ISA in use:
    double multiply_adds = 0;      ///< FP32
    double dot_products = 0;       ///< Vector::dot4, whether an instruction or several
    double vector_operations = 0;  ///< others, as in the transforms: loads, additions, stores
    std::size_t l1_bytes = 0;
    std::size_t l2_bytes = 0;
    std::size_t l3_bytes = 0;          ///< that one cluster of cores shares
    std::size_t cores_of_cluster = 0;  ///< that share an L3 cache; 0 means all cores of the CPU
    Bandwidth bandwidth[level_count];
    /// How much longer than reading it a line takes to be written to each level: it is read first, written
    /// back later, and often lies where no prefetcher expects it.
    double write_factor[level_count] = {2, 4, 4};
    double barrier_seconds = 0;  ///< to start and join a parallel loop on two threads
    double not_hidden = 0;       ///< the part of the faster resources' times that does not overlap

    const Bandwidth& read(Level level) const { return bandwidth[static_cast<std::size_t>(level)]; }
    Bandwidth& read(Level level) { return bandwidth[static_cast<std::size_t>(level)]; }
    double written(Level level) const { return write_factor[static_cast<std::size_t>(level)]; }
    /// The nearest level in which data of this size stays from one use to the next, with as much other data
    /// used in between.
    Level home(double bytes) const;
    /// The clusters that this many threads use. Data that all threads read comes from memory once for each.
    std::size_t clusters(int threads) const;
};

/// A part of a step that all threads do together, followed by a barrier: `tasks` of equal size, dealt out to
/// the threads. Cycles and bytes are sums over all tasks.
struct Phase {
    std::size_t tasks = 1;
    double cycles = 0;  ///< of one core, if all data came from its L1 cache
    double bytes[level_count] =
        {};  ///< read from each level; a written one counts Machine::written(level) times

    double& read(Level level) { return bytes[static_cast<std::size_t>(level)]; }
};

/// The expected time of phases, and how long each resource is in use for it.
struct ExpectedTime {
    double seconds = 0;
    double arithmetic_seconds = 0;
    double level_seconds[level_count] = {};
    double barrier_seconds = 0;

    /// The resource that is in use longest: "arithmetic", "L2", "L3", "memory" or "barrier".
    const char* limit() const;
};

/// The time of phases on `threads` threads, one for each core. No time for no phases.
ExpectedTime expected_time(const Machine& machine, std::span<const Phase> phases, int threads);
double expected_seconds(const Machine& machine, std::span<const Phase> phases, int threads);

/// time(1) / (threads · time(threads)), where `one` and `many` are those times.
constexpr double parallel_efficiency(double one, double many, int threads) {
    return many > 0 ? one / (threads * many) : 1;
}

/// The microarchitectures of the table, by name.
std::span<const std::string_view> machine_names();

/// A microarchitecture of the table, for kernels of `isa`, which need not be of this CPU. None if the name is
/// unknown or the microarchitecture lacks the ISA.
std::optional<Machine> machine_named(std::string_view name, Isa isa);
/// The best ISA of a microarchitecture of the table, built or not; none if the name is unknown.
std::optional<Isa> best_isa_of(std::string_view machine_name);

/// The microarchitecture of an x86 CPU: `vendor`, `family` and `model` as CPUID gives them, family and model
/// with their extensions. "" if the table does not have it.
std::string_view x86_microarchitecture(std::string_view vendor, unsigned family, unsigned model);

/// What tells this CPU's kind from others: vendor, family, model, stepping and name on x86, implementer and
/// part on AArch64; "unknown" if the system does not say.
const std::string& cpu_description();

/// The CPU at hand for kernels of `isa`, which it supports: by its microarchitecture, or else the most
/// cautious one of the table for the ISA, with the caches' sizes from the operating system. Thread-safe, and
/// the same for the life of the process.
const Machine& this_machine(Isa isa);
/// Whether the table has this CPU's microarchitecture.
bool knows_this_cpu(Isa isa);

}  // namespace vgg19::kernels
