#include "tools/machine_from_peaks.h"

#include <doctest/doctest.h>

namespace vgg19::tools {

using kernels::Isa;
using kernels::Level;

namespace {

bench::Peaks some_peaks() {
    bench::Peaks peaks;
    peaks.one_core_fp32_gflops = 2 * 16 * 2 * 4;  // two multiply-adds of 16 lanes a cycle
    peaks.one_core_int8_gops = 2.0 * 64 * 4 * 1;  // one of 64 bytes
    peaks.gigahertz = 4;
    peaks.barrier_seconds = 6e-6;
    peaks.reads = {{bench::ReadLevel::l1, 1, 500, 2000},
                   {bench::ReadLevel::l2, 1, 200, 790},
                   {bench::ReadLevel::memory, 1, 30, 60}};
    return peaks;
}

}  // namespace

TEST_CASE("peaks become rates a cycle, bandwidths and their limits") {
    const kernels::Machine known = *kernels::machine_named("zen4", Isa::avx512vnni);
    const kernels::Machine machine = machine_from_peaks(known, Isa::avx512vnni, some_peaks(), 4);
    CHECK(machine.name == "zen4");
    CHECK(machine.hertz == 4e9);
    CHECK(machine.multiply_adds == 2);
    CHECK(machine.dot_products == 1);
    CHECK(machine.vector_operations == known.vector_operations);
    CHECK(machine.read(Level::l2).core == 200e9);
    CHECK(machine.read(Level::l2).all == 0);  // four cores give nearly four times one's
    CHECK(machine.read(Level::memory).core == 30e9);
    CHECK(machine.read(Level::memory).cluster == 0);
    CHECK(machine.read(Level::memory).all == 60e9);
    CHECK(machine.read(Level::l3).core == known.read(Level::l3).core);  // not measured
    CHECK(machine.barrier_seconds == doctest::Approx(3e-6));
}

TEST_CASE("without dot-product instructions, and on one thread, what is known stays") {
    const kernels::Machine known = *kernels::machine_named("zen4", Isa::avx2);
    bench::Peaks peaks = some_peaks();
    peaks.one_core_int8_gops.reset();
    peaks.reads.back().gb_per_second = 30;
    const kernels::Machine machine = machine_from_peaks(known, Isa::avx2, peaks, 1);
    CHECK(machine.multiply_adds == 4);  // of 8 lanes
    CHECK(machine.dot_products == known.dot_products);
    CHECK(machine.barrier_seconds == known.barrier_seconds);
    CHECK(machine.read(Level::memory).all == 0);
}

TEST_CASE("threads that share a core are noticed, and limit no core's own cache") {
    bench::Peaks peaks = some_peaks();
    CHECK(!threads_were_disturbed(peaks, 4));
    peaks.reads[1].gb_per_second = 400;
    CHECK(threads_were_disturbed(peaks, 4));
    const kernels::Machine known = *kernels::machine_named("zen4", Isa::avx512vnni);
    CHECK(machine_from_peaks(known, Isa::avx512vnni, peaks, 4).read(Level::l2).all == 0);
    peaks.reads.clear();
    CHECK(!threads_were_disturbed(peaks, 4));
}

}  // namespace vgg19::tools
