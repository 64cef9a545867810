#include "engine/layers/work.h"

#include <algorithm>
#include <cmath>

#include "engine/layers/int8_convolution.h"
#include "engine/layers/winograd.h"
#include "engine/layers/winograd_image.h"
#include "kernels/winograd_int8/schedule.h"

namespace vgg19::layers {

namespace {

using kernels::Level;
using kernels::Machine;
using kernels::Phase;

/// Instructions on whole Vectors per transformed value and side of the input tile, and per value that is
/// quantised.
constexpr double transform_input_instructions = 2.9;
constexpr double transform_output_instructions = 2;
constexpr double int8_transform_input_instructions = 10;
constexpr double int8_transform_output_instructions = 8;
/// Shares of the peak that register tiles reach when all data comes from L1.
constexpr double int8_share = 0.95;
constexpr double onednn_share = 0.97;
constexpr double image_share = 0.7;

double real(std::size_t value) {
    return static_cast<double>(value);
}

std::string count_text(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what;
}

/// Data that the previous step wrote or the next one reads comes from L3 at best, since other threads may
/// have it in their L2 caches.
Level activation_home(const Machine& machine, double bytes) {
    return std::max(Level::l3, machine.home(bytes));
}

/// Filters that all of `readings` blocks of work read: from memory the first time, in each cluster of cores.
void add_filters(Phase& phase, const Machine& machine, int threads, double bytes, double readings) {
    const double first = std::min(readings, real(machine.clusters(threads)));
    phase.read(Level::memory) += first * bytes;
    phase.read(machine.home(bytes)) += (readings - first) * bytes;
}

double activation_bytes(const ConvolutionShape& shape, std::size_t channels, const Execution& execution,
                        double value_bytes) {
    return real(execution.batch * shape.size.pixels() * channels) * value_bytes;
}

double output_bytes(const ConvolutionShape& shape, const Execution& execution, double value_bytes) {
    const double bytes = activation_bytes(shape, shape.output_channels, execution, value_bytes);
    return shape.pool_follows ? bytes / 4 : bytes;
}

/// A Winograd convolution in numbers, over all tiles: cycles of its steps, and bytes.
struct WinogradWork {
    double transform_input = 0;
    double products = 0;
    double transform_output = 0;
    double transformed_bytes = 0;  ///< V
    double product_bytes = 0;      ///< M, all groups
    double packed_bytes = 0;
    double input_bytes = 0;
    double output_bytes = 0;
};

template <class Problem>
Work winograd_phases(const WinogradWork& all, const Problem& problem,
                     const kernels::WinogradSchedule& schedule, const Machine& machine) {
    const int threads = schedule.threads;
    const double groups = real(problem.groups());
    const double blocks = real(schedule.blocks);
    const std::string text =
        count_text(schedule.blocks, "blocks of ") + count_text(schedule.largest_block(problem), "tiles");
    const Level input = activation_home(machine, all.input_bytes);
    const Level output = activation_home(machine, all.output_bytes);
    if (schedule.split == kernels::WinogradSplit::tiles) {
        Phase phase = {.tasks = schedule.blocks,
                       .cycles = all.transform_input + all.products + all.transform_output};
        phase.read(Level::l2) += all.transformed_bytes * groups +
                                 machine.written(Level::l2) * (all.transformed_bytes + all.product_bytes) +
                                 all.product_bytes;
        phase.read(input) += all.input_bytes;
        phase.read(output) += all.output_bytes;
        add_filters(phase, machine, threads, all.packed_bytes, blocks);
        return {{phase}, "tiles, " + text, all.packed_bytes};
    }
    const std::size_t tasks = 8 * static_cast<std::size_t>(threads);
    Work work{{}, "positions, " + text, all.packed_bytes};
    for (std::size_t block = 0; block < schedule.blocks; ++block) {
        Phase in = {.tasks = std::max(tasks, problem.input_blocks()), .cycles = all.transform_input / blocks};
        in.read(input) += all.input_bytes / blocks;
        in.read(Level::l2) += all.transformed_bytes / blocks;
        const std::size_t items = problem.positions() * problem.groups();
        Phase products = {.tasks = std::min(items, tasks), .cycles = all.products / blocks};
        // V and M were and will be in the L2 caches of other threads.
        products.read(Level::l3) += (all.transformed_bytes + all.product_bytes) / blocks;
        products.read(Level::l2) += all.transformed_bytes * groups / blocks;
        add_filters(products, machine, 1, all.packed_bytes, 1);
        Phase out = {.tasks = std::max(tasks, problem.groups()), .cycles = all.transform_output / blocks};
        out.read(Level::l3) += all.product_bytes / blocks;
        out.read(output) += all.output_bytes / blocks;
        work.phases.insert(work.phases.end(), {in, products, out});
    }
    return work;
}

/// The share of the peak that a register tile of at most `most_rows` tiles and two vectors of channels
/// reaches: 2 · rows multiply-adds for each pair of loaded filters.
double product_share(std::size_t block_tiles, std::size_t most_rows) {
    const double rows = real(block_tiles) / std::ceil(real(block_tiles) / real(most_rows));
    constexpr double loading = 1.6;
    return 2 * rows / (2 * rows + loading);
}

Work winograd_work(const ConvolutionShape& shape, kernels::WinogradTile tile, const Execution& execution) {
    const Machine& machine = execution.cpu();
    const kernels::Winograd problem = winograd_problem(shape, tile, execution);
    const kernels::WinogradSchedule schedule = kernels::winograd_schedule(problem, execution.threads);
    const double values = real(problem.positions() * problem.tiles());
    const double products = values * real(problem.input_blocks() * problem.block * problem.output_blocks());
    const std::size_t most_rows = problem.block == 16 ? 14 : 6;
    const double share = product_share(schedule.largest_block(problem), most_rows);
    const double side = real(problem.input_side());
    const double lanes_bytes = real(problem.block) * sizeof(float);
    return winograd_phases(
        {.transform_input = values * real(problem.input_blocks()) * side * transform_input_instructions /
                            machine.vector_operations,
         .products = products / share / machine.multiply_adds,
         .transform_output = values * real(problem.output_blocks()) * side * transform_output_instructions /
                             machine.vector_operations,
         .transformed_bytes = values * real(problem.input_blocks()) * lanes_bytes,
         .product_bytes = values * real(problem.output_blocks()) * lanes_bytes,
         .packed_bytes = real(problem.packed_size()) * sizeof(float),
         .input_bytes = activation_bytes(shape, shape.input_channels, execution, sizeof(float)),
         .output_bytes = output_bytes(shape, execution, sizeof(float))},
        problem, schedule, machine);
}

/// Vector::dot4 for each pixel or tile.
double int8_products(const ConvolutionShape& shape, const Execution& execution) {
    constexpr std::size_t quad = 4;
    return real(kernels::blocks_of(shape.input_channels, quad) *
                kernels::blocks_of(shape.output_channels, execution.channel_block()));
}

Work winograd_int8_work(const ConvolutionShape& shape, kernels::WinogradInt8Tile tile,
                        const Execution& execution) {
    const Machine& machine = execution.cpu();
    const kernels::WinogradInt8 problem = winograd_int8_problem(tile, shape, execution);
    const kernels::WinogradSchedule schedule = kernels::winograd_int8_schedule(problem, execution.threads);
    const double values = real(problem.positions() * problem.tiles());
    const double output_vectors = real(kernels::blocks_of(shape.output_channels, execution.channel_block()));
    const double value_bytes = shape.int8_follows ? 1 : sizeof(float);
    return winograd_phases(
        {.transform_input = values * real(problem.input_blocks()) * int8_transform_input_instructions /
                            machine.vector_operations,
         .products = values * int8_products(shape, execution) / int8_share / machine.dot_products,
         .transform_output =
             values * output_vectors * int8_transform_output_instructions / machine.vector_operations,
         .transformed_bytes = values * real(problem.input_blocks() * kernels::int8_channel_block),
         .product_bytes = values * real(problem.padded_output_channels()) * sizeof(std::int32_t),
         .packed_bytes = real(problem.packed_size()),
         .input_bytes = activation_bytes(shape, shape.input_channels, execution, 1),
         .output_bytes = output_bytes(shape, execution, value_bytes)},
        problem, schedule, machine);
}

Work conv_int8_work(const ConvolutionShape& shape, const Execution& execution) {
    const Machine& machine = execution.cpu();
    const kernels::ConvInt8 problem = conv_int8_problem(shape, execution);
    const std::size_t tasks = 8 * static_cast<std::size_t>(execution.threads);
    const double pixels = real(execution.batch * shape.size.pixels());
    Phase phase = {
        .tasks = std::max(tasks, problem.groups()),
        .cycles = 9 * pixels * int8_products(shape, execution) / int8_share / machine.dot_products};
    const double input = activation_bytes(shape, shape.input_channels, execution, 1);
    const double output = output_bytes(shape, execution, shape.int8_follows ? 1 : sizeof(float));
    const double packed = real(kernels::conv_int8_packed_size(problem));
    phase.read(activation_home(machine, input)) += input;
    phase.read(activation_home(machine, output)) += output;
    phase.read(Level::l2) +=
        input * real(problem.groups()) + packed * pixels / real(kernels::ConvInt8::widest_tile);
    add_filters(phase, machine, execution.threads, packed, real(machine.clusters(execution.threads)));
    return {{phase}, count_text(phase.tasks, "parts of rows and channels"), packed};
}

Work image_work(const ConvolutionShape& shape, const Execution& execution) {
    const kernels::WinogradImage problem = winograd_image_problem(shape, execution);
    const double products = real(problem.rows() * problem.tiles() * problem.packed_size() / problem.block);
    const std::size_t ranges = 4 * static_cast<std::size_t>(execution.threads);
    Phase phase = {.tasks = std::min(ranges, problem.rows()),
                   .cycles = products / image_share / execution.cpu().multiply_adds};
    const double output = activation_bytes(shape, shape.output_channels, execution,
                                           shape.int8_follows && !shape.pool_follows ? 1 : sizeof(float));
    phase.read(activation_home(execution.cpu(), output)) += output;
    return {{phase}, count_text(ranges, "ranges of rows"), real(problem.packed_size()) * sizeof(float)};
}

Work direct_work(const ConvolutionShape& shape, const Execution& execution, double share) {
    const Machine& machine = execution.cpu();
    const std::size_t blocks = kernels::blocks_of(shape.output_channels, execution.channel_block());
    Phase phase = {.tasks = execution.batch * shape.size.height * blocks,
                   .cycles = 9 * real(execution.batch * shape.size.pixels() * shape.input_channels * blocks) /
                             share / machine.multiply_adds};
    const double packed = 9 * real(shape.input_channels * shape.output_channels) * sizeof(float);
    const double input = activation_bytes(shape, shape.input_channels, execution, sizeof(float));
    const double output = activation_bytes(shape, shape.output_channels, execution, sizeof(float));
    phase.read(activation_home(machine, input)) += input;
    phase.read(activation_home(machine, output)) += output;
    phase.read(Level::l2) += packed * real(shape.size.height);
    add_filters(phase, machine, execution.threads, packed, real(machine.clusters(execution.threads)));
    return {{phase}, "rows", packed};
}

}  // namespace

Work convolution_work(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                      const Execution& execution) {
    using enum ConvolutionAlgorithm;
    using kernels::WinogradTile;
    switch (algorithm) {
        case direct:
            return direct_work(shape, execution, 1);
        case onednn:
            return direct_work(shape, execution, onednn_share);
        case winograd_image:
            return image_work(shape, execution);
        case winograd_f2:
            return winograd_work(shape, WinogradTile::f2, execution);
        case winograd_f4:
            return winograd_work(shape, WinogradTile::f4, execution);
        case winograd_f5:
            return winograd_work(shape, WinogradTile::f5, execution);
        case winograd_f6:
            return winograd_work(shape, WinogradTile::f6, execution);
        case conv_int8:
            return conv_int8_work(shape, execution);
        case winograd_int8_f2x2:
            return winograd_int8_work(shape, kernels::WinogradInt8Tile::f2x2, execution);
        case winograd_int8_f4x4:
            return winograd_int8_work(shape, kernels::WinogradInt8Tile::f4x4, execution);
    }
    return {};
}

Work layer_work(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape, const Execution& execution) {
    Work work = convolution_work(algorithm, shape, execution);
    const std::size_t blocks =
        execution.batch * kernels::blocks_of(shape.output_channels, execution.channel_block());
    double map = activation_bytes(shape, shape.output_channels, execution, sizeof(float));
    const auto add_step = [&](double written_bytes) {
        const Work step = moving_work(blocks, map, written_bytes, execution);
        work.phases.insert(work.phases.end(), step.phases.begin(), step.phases.end());
        map = written_bytes;
    };
    if (shape.pool_follows && !pools_itself(algorithm, shape)) add_step(map / 4);
    if (shape.int8_follows && !quantizes_itself(algorithm, shape)) add_step(map / sizeof(float));
    return work;
}

Work moving_work(std::size_t tasks, double read_bytes, double written_bytes, const Execution& execution) {
    const Machine& machine = execution.cpu();
    const double bytes_of_vector = real(execution.channel_block()) * sizeof(float);
    Phase phase = {.tasks = tasks,
                   .cycles = 2 * (read_bytes + written_bytes) / bytes_of_vector / machine.vector_operations};
    phase.read(activation_home(machine, read_bytes)) += read_bytes;
    phase.read(activation_home(machine, written_bytes)) += written_bytes;
    return {{phase}, {}, 0};
}

Work dense_work(kernels::DenseWeights weights, std::size_t inputs, std::size_t outputs,
                const Execution& execution) {
    const auto threads = static_cast<std::size_t>(execution.threads);
    const double products = real(execution.batch * inputs * outputs) / real(execution.channel_block());
    Phase phase = {
        .tasks = std::min(threads, kernels::blocks_of(outputs, kernels::dense_granularity(weights))),
        .cycles = products / execution.cpu().multiply_adds};
    const double bytes = real(inputs * kernels::dense_row_bytes(weights, outputs));
    phase.read(Level::memory) += bytes;
    return {{phase}, count_text(phase.tasks, "ranges of outputs"), bytes};
}

}  // namespace vgg19::layers
