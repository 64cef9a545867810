// What schedules and the planner's cost model know of a CPU, and how long work takes on it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "kernels/isa/isa.h"

namespace vgg19::kernels {

/// Where data comes from.
enum class Level : unsigned char { l2, l3, memory };
inline constexpr std::size_t level_count = 3;

/// A CPU, by microarchitecture or as measured by `vgg19 tune`. Rates are per core unless they say otherwise.
struct Machine {
    std::string name;  ///< "zen4", "golden_cove", …
    double hertz = 0;  ///< under vector load
    /// Instructions on whole registers of the ISA in use, per cycle.
    double multiply_adds = 0;  ///< FP32
    double dot_products = 0;   ///< of bytes, 0 where the ISA has none
    std::size_t l1_bytes = 0;
    std::size_t l2_bytes = 0;
    std::size_t l3_bytes = 0;                          ///< shared by all cores
    double bytes_per_second[level_count] = {};         ///< that one core can read from a level
    double shared_bytes_per_second[level_count] = {};  ///< that all cores together can read from it
    double barrier_seconds = 0;                        ///< starting and joining a parallel loop, two threads
};

/// A part of a step that all threads do together, followed by a barrier: `tasks` of equal size. Sums over all
/// tasks.
struct Phase {
    std::size_t tasks = 1;
    double cycles = 0;               ///< of one core, if all data came from its L1 cache
    double bytes[level_count] = {};  ///< read from each level (written bytes count as read)
};

/// The time of phases on `threads` threads: of each, the longest thread's share of tasks, bound by the
/// slowest of arithmetic and levels, plus a part of the others that does not overlap.
double expected_seconds(const Machine& machine, std::span<const Phase> phases, int threads);

/// The machine at hand for kernels of `isa`: by its tuned file if there is one, else by its
/// microarchitecture. Thread-safe; the same for the life of the process.
const Machine& this_machine(Isa isa);

}  // namespace vgg19::kernels
