// Measures the machine's limits, to compare kernels with them.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/model/json.h"
#include "kernels/isa/isa.h"

namespace vgg19::bench {

struct Peaks {
    double read_gb_per_second = 0;  ///< in 10^9 bytes; the array is far larger than the caches
    double fp32_gflops = 0;         ///< a multiply-add counts as two
    std::optional<double>
        int8_gops;  ///< likewise for u8·s8 products with 32-bit sums; none without a suitable instruction
};

struct PeakOptions {
    int threads = 1;
    double seconds = 0.4;  ///< per figure; the best of many passes counts
    std::size_t array_bytes =
        0;  ///< size of the array; 0 means 512 MB, or a quarter of the free memory if that is less
};

/// `isa` must be supported by this CPU.
Peaks measure_peaks(kernels::Isa isa, const PeakOptions& options);

model::Json to_json(const Peaks& peaks);

}  // namespace vgg19::bench
