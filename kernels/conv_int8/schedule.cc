// The packing of weights, and how a whole convolution is divided among threads, and into parts that fit the
// caches.
#include <algorithm>

#include "kernels/common/cache_sizes.h"
#include "kernels/common/parallel.h"
#include "kernels/conv_int8/conv_int8.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t block = int8_channel_block;
constexpr std::size_t quad = ConvInt8::quad;
constexpr std::size_t taps = 9;

void pack_group(const ConvInt8& problem, std::size_t group, const std::int8_t* weights, std::int8_t* packed) {
    const std::size_t inputs = problem.input_channels;
    const std::size_t last_output = group * block + problem.group_channels(group);
    for (std::size_t b = 0; b < problem.input_blocks(); ++b) {
        const std::size_t last_input = b * block + problem.quads_of_block(b) * quad;
        for (std::size_t tap = 0; tap < taps; ++tap) {
            for (std::size_t first = b * block; first < last_input; first += quad) {
                for (std::size_t output = group * block; output < last_output; ++output) {
                    for (std::size_t input = first; input < first + quad; ++input) {
                        const bool exists = output < problem.output_channels && input < inputs;
                        *packed++ = exists ? weights[(output * inputs + input) * taps + tap] : std::int8_t{0};
                    }
                }
            }
        }
    }
}

/// The number of parts into which rows are split: a part's input must fit into a quarter of the L2 cache
/// while a group's weights are multiplied with it, and each thread must get some tasks.
std::size_t parts_of_rows(const ConvInt8& problem, int threads) {
    constexpr std::size_t tasks_a_thread = 8;
    const std::size_t input_bytes =
        problem.batch * problem.input_blocks() * block * problem.height * problem.width;
    const std::size_t for_cache = blocks_of(input_bytes, second_level_cache_bytes() / 4);
    const std::size_t for_threads =
        blocks_of(tasks_a_thread * static_cast<std::size_t>(threads), problem.groups());
    return std::min(std::max(for_cache, for_threads), problem.output_rows());
}

}  // namespace

std::size_t conv_int8_packed_size(const ConvInt8& problem) {
    const std::size_t last = problem.groups() - 1;
    return problem.packed_group(last) + problem.packed_group_size(last);
}

void conv_int8_pack(const ConvInt8& problem, int threads, const std::int8_t* weights, std::int8_t* packed) {
    parallel_for(threads, problem.groups(), [&](std::size_t group) {
        pack_group(problem, group, weights, packed + problem.packed_group(group));
    });
}

std::size_t conv_int8_scratch_size(const ConvInt8& /*problem*/, int threads) {
    return static_cast<std::size_t>(threads) * ConvInt8::sums_size * sizeof(std::int32_t);
}

void conv_int8_convolution(const Kernel<ConvInt8Function>& kernel, const ConvInt8& problem, int threads,
                           std::byte* scratch) {
    const std::size_t parts = parts_of_rows(problem, threads);
    // Threads work on the same group at about the same time, so that its weights are read from memory only
    // once.
    parallel_workers(threads, problem.groups() * parts, [&](std::size_t worker, std::size_t index) {
        const Range rows = part_of(problem.output_rows(), parts, index % parts);
        auto* sums = reinterpret_cast<std::int32_t*>(scratch) + worker * ConvInt8::sums_size;
        kernel.run(problem, index / parts, rows.begin, rows.end, sums);
    });
}

}  // namespace vgg19::kernels
