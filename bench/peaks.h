// The machine's limits, measured: what a kernel's speed is held against.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/model/json.h"
#include "kernels/isa/isa.h"

namespace vgg19::bench {

struct Peaks {
    double read_gb_per_second = 0;  ///< 10^9 bytes, from an array that is far larger than the caches
    double fp32_gflops = 0;         ///< multiply-adds count as two
    std::optional<double>
        int8_gops;  ///< likewise, of u8·s8 products with 32-bit sums; none without an instruction for them
};

struct PeakOptions {
    int threads = 1;
    double seconds = 0.4;         ///< spent on each figure; the best of many passes is taken
    std::size_t array_bytes = 0;  ///< to read; 0: 512 MB, or a quarter of what memory is free if that is less
};

/// `isa` must be supported by this CPU.
Peaks measure_peaks(kernels::Isa isa, const PeakOptions& options);

model::Json to_json(const Peaks& peaks);

}  // namespace vgg19::bench
