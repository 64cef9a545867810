#include "bench/peaks.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "bench/peak_loops.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/memory.h"
#include "kernels/common/parallel.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::bench {

namespace {

using kernels::ArithmeticLoop;
using kernels::Isa;
using kernels::ReadLoop;
using Clock = std::chrono::steady_clock;

// Stores the loops' results, so that the compiler cannot remove the loops.
std::atomic<std::uint64_t> used;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Calls `pass` until the time is over, at least three times; returns the shortest time of a pass.
template <class Pass>
double shortest_pass(double seconds, const Pass& pass) {
    const Clock::time_point start = Clock::now();
    double shortest = 0;
    for (int passes = 0; passes < 3 || seconds_since(start) < seconds; ++passes) {
        const Clock::time_point pass_start = Clock::now();
        pass();
        const double taken = seconds_since(pass_start);
        if (passes == 0 || taken < shortest) shortest = taken;
    }
    return shortest;
}

std::size_t array_bytes(const PeakOptions& options) {
    constexpr std::size_t granularity = 64 * sizeof(std::uint64_t);
    constexpr std::size_t smallest = std::size_t{32} << 20U;
    constexpr std::size_t enough = 512'000'000;
    const std::size_t wanted =
        options.array_bytes != 0
            ? options.array_bytes
            : std::clamp<std::size_t>(kernels::available_memory_bytes() / 4, smallest, enough);
    return std::max(wanted / granularity, std::size_t{1}) * granularity;
}

double measure_reads(Isa isa, const PeakOptions& options) {
    kernels::AlignedBuffer array(array_bytes(options));
    auto* const words = array.as<std::uint64_t>();
    const auto parts = static_cast<std::size_t>(options.threads);
    // Write once: untouched pages all map to the same page of zeros, which stays in the cache.
    kernels::parallel_for(options.threads, parts, [&](std::size_t part) {
        const auto [begin, end] = kernels::part_of(array.size() / sizeof(std::uint64_t), parts, part, 64);
        std::fill(words + begin, words + end, part + 1);
    });
    ReadLoop* const read = kernels::select(kernels::read_words_kernels(), isa).run;
    const double seconds = shortest_pass(options.seconds, [&] {
        kernels::parallel_for(options.threads, parts, [&](std::size_t part) {
            const auto [begin, end] = kernels::part_of(array.size() / sizeof(std::uint64_t), parts, part, 64);
            used ^= read(words + begin, end - begin);
        });
    });
    return static_cast<double>(array.size()) / seconds * 1e-9;
}

double measure_arithmetic(ArithmeticLoop* loop, const PeakOptions& options) {
    constexpr std::size_t rounds = 500'000;
    std::uint64_t operations = 0;
    loop(1, operations);  // gives the count, and warms up the CPU's wide registers
    const double seconds = shortest_pass(options.seconds, [&] {
        kernels::parallel_for(options.threads, static_cast<std::size_t>(options.threads), [&](std::size_t) {
            std::uint64_t ignored = 0;
            used ^= static_cast<std::uint64_t>(static_cast<std::int64_t>(loop(rounds, ignored)));
        });
    });
    return static_cast<double>(operations * rounds) * options.threads / seconds * 1e-9;
}

}  // namespace

Peaks measure_peaks(Isa isa, const PeakOptions& options) {
    Peaks peaks;
    peaks.read_gb_per_second = measure_reads(isa, options);
    peaks.fp32_gflops =
        measure_arithmetic(kernels::select(kernels::multiply_add_fp32_kernels(), isa).run, options);
    if (kernels::has_dot_product(isa)) {
        peaks.int8_gops =
            measure_arithmetic(kernels::select(kernels::multiply_add_int8_kernels(), isa).run, options);
    }
    return peaks;
}

model::Json to_json(const Peaks& peaks) {
    model::Json json;
    json.set("read_gb_per_second", peaks.read_gb_per_second);
    json.set("fp32_gflops", peaks.fp32_gflops);
    json.set("int8_gops", peaks.int8_gops ? model::Json(*peaks.int8_gops) : model::Json());
    return json;
}

}  // namespace vgg19::bench
