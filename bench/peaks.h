// Measures the machine's limits, to compare kernels with them.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/model/json.h"
#include "kernels/isa/isa.h"

namespace vgg19::bench {

/// Where data is read from.
enum class ReadLevel : unsigned char { l1, l2, l3, memory };

/// "L1", "L2", "L3", "memory".
const char* level_name(ReadLevel level);

/// How fast a level is read, in 10^9 bytes per second.
struct ReadPeak {
    ReadLevel level{};
    std::size_t array_bytes = 0;        ///< what was read again and again; of each thread for L1 and L2
    double one_core_gb_per_second = 0;  ///< by one thread alone
    double gb_per_second = 0;           ///< by all threads together
};

struct Peaks {
    double read_gb_per_second = 0;  ///< memory, all threads; 10^9 bytes; the array is far larger than caches
    double fp32_gflops = 0;         ///< all threads; a multiply-add counts as two
    std::optional<double>
        int8_gops;  ///< likewise for u8·s8 products with 32-bit sums; none without a suitable instruction
    double one_core_fp32_gflops = 0;
    std::optional<double> one_core_int8_gops;
    double gigahertz = 0;        ///< of one core while it executes FP32 multiply-adds
    double barrier_seconds = 0;  ///< starting and joining a parallel loop on all threads
    /// L1 first, memory last; caches that this CPU lacks, or whose size is unknown, are left out.
    std::vector<ReadPeak> reads;
};

struct PeakOptions {
    int threads = 1;
    double seconds = 0.25;  ///< per figure; the best of many passes counts
    std::size_t array_bytes =
        0;  ///< of the array for memory; 0 means 512 MB, or a quarter of the free memory if that is less
};

/// `isa` must be supported by this CPU.
Peaks measure_peaks(kernels::Isa isa, const PeakOptions& options);

model::Json to_json(const Peaks& peaks);

}  // namespace vgg19::bench
