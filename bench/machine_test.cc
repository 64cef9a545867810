#include "bench/machine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "bench/peaks.h"
#include "vgg19/error.h"

namespace vgg19::bench {

TEST_CASE("the machine's description is filled in") {
    const Machine machine = describe_machine(kernels::best_isa());
    CHECK(!machine.cpu.empty());
    CHECK(machine.logical_cpus >= 1);
    CHECK(machine.affinity_cpus >= machine.available_threads);
    CHECK(machine.available_threads >= 1);
    CHECK(machine.memory_bytes > 0);
    CHECK(machine.isa == kernels::isa_name(kernels::best_isa()));
    CHECK(std::count(machine.isas_supported.begin(), machine.isas_supported.end(), "portable") == 1);
    CHECK(to_json(machine).find("caches")->array().size() == machine.caches.size());
}

TEST_CASE("the build's description is filled in") {
    const Build build = describe_build();
    CHECK(!build.version.empty());
    CHECK(build.compiler != "unknown");
    CHECK(!build.onednn.empty());
    CHECK(to_json(build).find("build_type")->string() == build.build_type);
}

TEST_CASE("a requested ISA is used or refused, like other session options") {
    CHECK(chosen_isa({.isa = "portable"}) == kernels::Isa::portable);
    CHECK_THROWS_AS(chosen_isa({.isa = "avx9000"}), Error);
    CHECK_THROWS_AS(chosen_isa({.convolution = "fft"}), Error);
}

TEST_CASE("a process's peak memory includes the memory that it has touched") {
    constexpr std::size_t bytes = std::size_t{64} << 20U;
    const std::vector<char> touched(bytes, 1);
    CHECK(peak_rss_bytes("self") >= bytes);
    CHECK(touched.back() == 1);
    CHECK(peak_rss_bytes("no-such-process") == 0);
}

TEST_CASE("peaks are measured on every ISA of this CPU, for any number of threads") {
    for (const kernels::Isa isa : kernels::all_isas()) {
        if (!kernels::cpu_supports(isa)) continue;
        INFO(kernels::isa_name(isa));
        const Peaks peaks = measure_peaks(isa, {.threads = 3, .seconds = 0, .array_bytes = 1 << 20});
        CHECK(peaks.read_gb_per_second > 0);
        CHECK(peaks.fp32_gflops > 0);
        CHECK(peaks.int8_gops.has_value() == kernels::has_dot_product(isa));
        CHECK(peaks.one_core_fp32_gflops > 0);
        CHECK(peaks.one_core_int8_gops.has_value() == kernels::has_dot_product(isa));
        CHECK(peaks.gigahertz > 0);
        CHECK(peaks.barrier_seconds > 0);
        REQUIRE(!peaks.reads.empty());
        CHECK(peaks.reads.back().level == ReadLevel::memory);
        CHECK(peaks.reads.back().array_bytes == 1 << 20);
        CHECK(peaks.reads.back().gb_per_second == peaks.read_gb_per_second);
        for (std::size_t i = 0; i < peaks.reads.size(); ++i) {
            INFO(level_name(peaks.reads[i].level));
            CHECK(peaks.reads[i].one_core_gb_per_second > 0);
            CHECK(peaks.reads[i].gb_per_second > 0);
            if (i > 0) CHECK(peaks.reads[i - 1].level < peaks.reads[i].level);
        }
    }
}

}  // namespace vgg19::bench
