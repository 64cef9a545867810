#include "bench/peaks.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

#include "bench/machine.h"
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

constexpr std::size_t granularity = 64;  ///< of words that ReadLoop reads

std::size_t whole_words(std::size_t bytes) {
    return std::max(bytes / sizeof(std::uint64_t) / granularity, std::size_t{1}) * granularity;
}

std::size_t memory_array_bytes(const PeakOptions& options) {
    constexpr std::size_t smallest = std::size_t{32} << 20U;
    constexpr std::size_t enough = 512'000'000;
    if (options.array_bytes != 0) return options.array_bytes;
    return std::clamp<std::size_t>(kernels::available_memory_bytes() / 4, smallest, enough);
}

/// An array that threads read, and how long that takes.
class ReadArray {
  public:
    ReadArray(Isa isa, int threads, std::size_t bytes)
        : read_(kernels::select(kernels::read_words_kernels(), isa).run),
          words_(whole_words(bytes)),
          array_(words_ * sizeof(std::uint64_t)) {
        // Write once: untouched pages all map to the same page of zeros, which stays in the cache.
        const auto parts = static_cast<std::size_t>(threads);
        kernels::parallel_for(threads, parts, [&](std::size_t part) {
            const auto [begin, end] = kernels::part_of(words_, parts, part, granularity);
            std::fill(data() + begin, data() + end, part + 1);
        });
    }

    /// GB/s if each thread reads a part.
    double shared_out(int threads, double seconds) {
        const auto parts = static_cast<std::size_t>(threads);
        return rate(1, seconds, [&] {
            kernels::parallel_for(threads, parts, [&](std::size_t part) {
                const auto [begin, end] = kernels::part_of(words_, parts, part, granularity);
                used ^= read_(data() + begin, end - begin, 1);
            });
        });
    }

    /// GB/s if each thread reads all of it, from a place of its own on.
    double read_by_each(int threads, double seconds) {
        constexpr std::size_t words_of_a_pass = std::size_t{32} << 20U;
        const auto parts = static_cast<std::size_t>(threads);
        const std::size_t passes = std::max(words_of_a_pass / words_, std::size_t{1});
        return rate(passes * parts, seconds, [&] {
            kernels::parallel_for(threads, parts, [&](std::size_t part) {
                const std::size_t begin = kernels::part_of(words_, parts, part, granularity).begin;
                if (begin == 0) {
                    used ^= read_(data(), words_, passes);
                    return;
                }
                for (std::size_t pass = 0; pass < passes; ++pass) {
                    used ^= read_(data() + begin, words_ - begin, 1);
                    used ^= read_(data(), begin, 1);
                }
            });
        });
    }

    std::size_t bytes() const { return array_.size(); }

  private:
    std::uint64_t* data() { return array_.as<std::uint64_t>(); }
    template <class Pass>
    double rate(std::size_t times, double seconds, const Pass& pass) {
        return static_cast<double>(times * bytes()) / shortest_pass(seconds, pass) * 1e-9;
    }

    ReadLoop* read_;
    std::size_t words_;
    kernels::AlignedBuffer array_;
};

/// Each thread reads an array of its own: for caches that threads do not share.
double read_own_arrays(Isa isa, int threads, std::size_t bytes, double seconds) {
    constexpr std::size_t bytes_of_a_pass = std::size_t{256} << 20U;
    const std::size_t words = whole_words(bytes);
    const std::size_t passes = std::max(bytes_of_a_pass / bytes, std::size_t{1});
    const auto count = static_cast<std::size_t>(threads);
    kernels::AlignedBuffer arrays(count * words * sizeof(std::uint64_t));
    std::fill_n(arrays.as<std::uint64_t>(), count * words, std::uint64_t{1});
    ReadLoop* const read = kernels::select(kernels::read_words_kernels(), isa).run;
    const double taken = shortest_pass(seconds, [&] {
        kernels::parallel_for(threads, count, [&](std::size_t thread) {
            used ^= read(arrays.as<std::uint64_t>() + thread * words, words, passes);
        });
    });
    return static_cast<double>(arrays.size() * passes) / taken * 1e-9;
}

std::size_t cache_bytes(const std::vector<Cache>& caches, int level) {
    for (const Cache& cache : caches) {
        if (cache.level == level && cache.type != "Instruction") return cache.bytes;
    }
    return 0;
}

std::vector<ReadPeak> measure_caches(Isa isa, const PeakOptions& options) {
    const std::vector<Cache> caches = described_caches();
    const std::size_t l1 = cache_bytes(caches, 1);
    const std::size_t l2 = cache_bytes(caches, 2);
    const std::size_t l3 = cache_bytes(caches, 3);
    std::vector<ReadPeak> peaks;
    // Half of a cache, so that nothing else evicts it; much larger than the cache before it.
    for (const auto& [level, bytes] : {std::pair{ReadLevel::l1, l1 / 2}, {ReadLevel::l2, l2 / 2}}) {
        if (bytes == 0 || (level == ReadLevel::l2 && bytes < 2 * l1)) continue;
        peaks.push_back({.level = level,
                         .array_bytes = bytes,
                         .one_core_gb_per_second = read_own_arrays(isa, 1, bytes, options.seconds),
                         .gb_per_second = read_own_arrays(isa, options.threads, bytes, options.seconds)});
    }
    // A virtual machine may see the whole L3 cache of a CPU of which it has a few cores.
    constexpr std::size_t most_of_l3 = 16;
    const std::size_t bytes = std::min(l3 / 2, most_of_l3 * l2);
    if (bytes >= 2 * l2 && bytes > 0) {
        ReadArray array(isa, options.threads, bytes);
        peaks.push_back({.level = ReadLevel::l3,
                         .array_bytes = array.bytes(),
                         .one_core_gb_per_second = array.read_by_each(1, options.seconds),
                         .gb_per_second = array.read_by_each(options.threads, options.seconds)});
    }
    return peaks;
}

ReadPeak measure_memory(Isa isa, const PeakOptions& options) {
    ReadArray array(isa, options.threads, memory_array_bytes(options));
    return {.level = ReadLevel::memory,
            .array_bytes = array.bytes(),
            .one_core_gb_per_second = array.shared_out(1, options.seconds),
            .gb_per_second = array.shared_out(options.threads, options.seconds)};
}

double measure_barrier(const PeakOptions& options) {
    constexpr int loops = 200;
    const auto tasks = static_cast<std::size_t>(options.threads);
    const double seconds = shortest_pass(options.seconds, [&] {
        for (int loop = 0; loop < loops; ++loop) {
            kernels::parallel_for(options.threads, tasks, [](std::size_t task) { used ^= task; });
        }
    });
    return seconds / loops;
}

/// In 10^9 operations per second of all threads.
double measure_arithmetic(ArithmeticLoop* loop, int threads, double least_seconds) {
    constexpr std::size_t rounds = 500'000;
    std::uint64_t operations = 0;
    loop(1, operations);  // gives the count, and warms up the CPU's wide registers
    const double seconds = shortest_pass(least_seconds, [&] {
        kernels::parallel_for(threads, static_cast<std::size_t>(threads), [&](std::size_t) {
            std::uint64_t ignored = 0;
            used ^= static_cast<std::uint64_t>(static_cast<std::int64_t>(loop(rounds, ignored)));
        });
    });
    return static_cast<double>(operations * rounds) * threads / seconds * 1e-9;
}

}  // namespace

const char* level_name(ReadLevel level) {
    constexpr const char* names[] = {"L1", "L2", "L3", "memory"};
    return names[static_cast<std::size_t>(level)];
}

Peaks measure_peaks(Isa isa, const PeakOptions& options) {
    const auto operations = [&](ArithmeticLoop* loop, int threads) {
        return measure_arithmetic(loop, threads, options.seconds);
    };
    Peaks peaks;
    ArithmeticLoop* const fp32 = kernels::select(kernels::multiply_add_fp32_kernels(), isa).run;
    peaks.fp32_gflops = operations(fp32, options.threads);
    peaks.one_core_fp32_gflops = operations(fp32, 1);
    if (kernels::has_dot_product(isa)) {
        ArithmeticLoop* const int8 = kernels::select(kernels::multiply_add_int8_kernels(), isa).run;
        peaks.int8_gops = operations(int8, options.threads);
        peaks.one_core_int8_gops = operations(int8, 1);
    }
    peaks.gigahertz = operations(kernels::select(kernels::chain_of_cycles_kernels(), isa).run, 1);
    peaks.barrier_seconds = measure_barrier(options);
    peaks.reads = measure_caches(isa, options);
    peaks.reads.push_back(measure_memory(isa, options));
    peaks.read_gb_per_second = peaks.reads.back().gb_per_second;
    return peaks;
}

model::Json to_json(const Peaks& peaks) {
    const auto or_null = [](const std::optional<double>& value) {
        return value ? model::Json(*value) : model::Json();
    };
    model::Json json;
    json.set("read_gb_per_second", peaks.read_gb_per_second);
    json.set("fp32_gflops", peaks.fp32_gflops);
    json.set("int8_gops", or_null(peaks.int8_gops));
    json.set("one_core_fp32_gflops", peaks.one_core_fp32_gflops);
    json.set("one_core_int8_gops", or_null(peaks.one_core_int8_gops));
    json.set("gigahertz", peaks.gigahertz);
    json.set("barrier_seconds", peaks.barrier_seconds);
    model::Json::Array reads;
    for (const ReadPeak& peak : peaks.reads) {
        model::Json read;
        read.set("level", level_name(peak.level));
        read.set("array_bytes", std::uint64_t{peak.array_bytes});
        read.set("one_core_gb_per_second", peak.one_core_gb_per_second);
        read.set("gb_per_second", peak.gb_per_second);
        reads.push_back(read);
    }
    json.set("reads", reads);
    return json;
}

}  // namespace vgg19::bench
