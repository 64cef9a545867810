#include "tools/machine_from_peaks.h"

#include <cmath>

namespace vgg19::tools {

namespace {

using kernels::Bandwidth;
using kernels::Level;

constexpr double giga = 1e9;

Bandwidth bandwidth_of(const bench::ReadPeak& peak, int threads) {
    // Of threads that do not disturb each other, noise alone makes the sum a little less.
    constexpr double nearly_all = 0.97;
    const double together = peak.gb_per_second;
    const bool limited = threads > 1 && together < nearly_all * threads * peak.one_core_gb_per_second;
    Bandwidth bandwidth = {.core = peak.one_core_gb_per_second * giga};
    if (limited) bandwidth.all = together * giga;
    return bandwidth;
}

}  // namespace

kernels::Machine machine_from_peaks(const kernels::Machine& known, kernels::Isa isa,
                                    const bench::Peaks& peaks, int threads) {
    kernels::Machine machine = known;
    machine.hertz = peaks.gigahertz * giga;
    const double operations_of_lane = 2;  // a multiplication and an addition
    const double operations = operations_of_lane * static_cast<double>(kernels::float_lanes(isa));
    machine.multiply_adds = peaks.one_core_fp32_gflops / operations / peaks.gigahertz;
    if (peaks.one_core_int8_gops) {
        constexpr double bytes_of_lane = 4;
        machine.dot_products = *peaks.one_core_int8_gops / (operations * bytes_of_lane) / peaks.gigahertz;
    }
    for (const bench::ReadPeak& peak : peaks.reads) {
        switch (peak.level) {
            case bench::ReadLevel::l1:
                break;
            case bench::ReadLevel::l2:
                machine.read(Level::l2) = bandwidth_of(peak, 1);  // each core has its own
                break;
            case bench::ReadLevel::l3:
                machine.read(Level::l3) = bandwidth_of(peak, threads);
                break;
            case bench::ReadLevel::memory:
                machine.read(Level::memory) = bandwidth_of(peak, threads);
                break;
        }
    }
    if (threads > 1) machine.barrier_seconds = peaks.barrier_seconds / std::log2(threads);
    return machine;
}

bool threads_were_disturbed(const bench::Peaks& peaks, int threads) {
    constexpr double least_share = 0.75;
    for (const bench::ReadPeak& peak : peaks.reads) {
        if (peak.level != bench::ReadLevel::l2) continue;
        return peak.gb_per_second < least_share * threads * peak.one_core_gb_per_second;
    }
    return false;
}

}  // namespace vgg19::tools
