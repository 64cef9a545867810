#include "engine/layers/work.h"

#include <algorithm>

#include "engine/layers/int8_convolution.h"
#include "engine/layers/winograd.h"
#include "engine/layers/winograd_image.h"
#include "kernels/dense/schedule.h"
#include "kernels/winograd_int8/schedule.h"

namespace vgg19::layers {

namespace {

using kernels::Level;
using kernels::Machine;
using kernels::Phase;
using kernels::real;

/// Shares of the peak that register tiles reach when all data comes from L1.
constexpr double int8_share = 0.95;
constexpr double onednn_share = 0.97;
constexpr double image_share = 0.7;

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

template <class Problem>
std::string schedule_text(const kernels::WinogradSchedule& schedule, const Problem& problem) {
    const char* split = schedule.split == kernels::WinogradSplit::tiles ? "tiles, " : "positions, ";
    const std::string parts =
        schedule.channel_parts > 1 ? " x " + count_text(schedule.channel_parts, "parts of channels") : "";
    return split + count_text(schedule.blocks, "blocks of ") +
           count_text(kernels::blocks_of(problem.tiles(), schedule.blocks), "tiles") + parts;
}

Work winograd_work(const ConvolutionShape& shape, kernels::WinogradTile tile, const Execution& execution) {
    const kernels::Winograd problem = winograd_problem(shape, tile, execution);
    const auto schedule = kernels::winograd_schedule(problem, execution.cpu(), execution.threads);
    return {kernels::winograd_phases(problem, schedule, execution.cpu()), schedule_text(schedule, problem),
            real(problem.packed_size()) * sizeof(float)};
}

/// Vector::dot4 for each pixel or tile.
double int8_products(const ConvolutionShape& shape, const Execution& execution) {
    constexpr std::size_t quad = 4;
    return real(kernels::blocks_of(shape.input_channels, quad) *
                kernels::blocks_of(shape.output_channels, execution.channel_block()));
}

Work winograd_int8_work(const ConvolutionShape& shape, kernels::WinogradInt8Tile tile,
                        const Execution& execution) {
    const kernels::WinogradInt8 problem = winograd_int8_problem(tile, shape, execution);
    const auto schedule = kernels::winograd_int8_schedule(problem, execution.cpu(), execution.channel_block(),
                                                          execution.threads);
    return {kernels::winograd_int8_phases(problem, schedule, execution.cpu(), execution.channel_block()),
            schedule_text(schedule, problem), real(problem.packed_size())};
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
    const double output = output_bytes(
        shape, execution, quantizes_itself(ConvolutionAlgorithm::conv_int8, shape) ? 1 : sizeof(float));
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
    const bool quantizes = quantizes_itself(ConvolutionAlgorithm::winograd_image, shape);
    const double output =
        activation_bytes(shape, shape.output_channels, execution, quantizes ? 1 : sizeof(float));
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
    if (const auto tile = winograd_tile(algorithm)) return winograd_work(shape, *tile, execution);
    switch (algorithm) {
        case direct:
            return direct_work(shape, execution, 1);
        case onednn:
            return direct_work(shape, execution, onednn_share);
        case winograd_image:
            return image_work(shape, execution);
        case conv_int8:
            return conv_int8_work(shape, execution);
        case winograd_int8_f2x2:
            return winograd_int8_work(shape, kernels::WinogradInt8Tile::f2x2, execution);
        case winograd_int8_f4x4:
            return winograd_int8_work(shape, kernels::WinogradInt8Tile::f4x4, execution);
        default:
            return {};
    }
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
    const kernels::Dense problem = {.batch = execution.batch, .inputs = inputs, .outputs = outputs};
    const kernels::DenseSchedule schedule =
        kernels::dense_schedule(weights, problem, execution.cpu(), execution.isa, execution.threads);
    return {{kernels::dense_phase(weights, problem, schedule, execution.cpu(), execution.isa)},
            count_text(schedule.input_ranges, "ranges of inputs") + " x " +
                count_text(schedule.strips, "strips of outputs"),
            real(inputs * kernels::dense_row_bytes(weights, outputs))};
}

}  // namespace vgg19::layers
