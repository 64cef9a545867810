#include "kernels/dense/schedule.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t cache_line = 64;

/// Counts the tasks of a strip that are done. Each has a cache line of its own.
struct alignas(cache_line) StripCounter {
    std::atomic<std::size_t> done = 0;
};

/// The rows of weights that are read, on average: after a ReLU, between four and six tenths of VGG-19's dense
/// inputs are zero; a row is skipped if it is zero in every image.
double rows_read(DenseWeights weights, const Dense& problem) {
    constexpr double zero = 0.4;
    const double skipped = is_input_major(weights) ? std::pow(zero, static_cast<double>(problem.batch)) : 0;
    return static_cast<double>(problem.inputs) * (1 - skipped);
}

/// A register's worth of a row's weights, in cycles: loading and unpacking it, and its products with every
/// image.
double cycles_of_register(DenseWeights weights, const Dense& problem, const Machine& machine) {
    const auto images = static_cast<double>(problem.batch);
    const auto of = [&](double operations, double products, double a_cycle) {
        return operations / machine.vector_operations + products * images / a_cycle;
    };
    switch (weights) {
        case DenseWeights::fp32_output_major:
            return of(1, 1, machine.multiply_adds);
        case DenseWeights::fp32_input_major:  // eight rows at a time load and store a register of sums
            return of(1 + 2 * images / 8, 1, machine.multiply_adds);
        case DenseWeights::int8_output_major:
            return of(1, 1, machine.dot_products);
        case DenseWeights::int8_input_major:  // four registers of four rows: eight instructions interleave
                                              // them
            return of(1 + 2 + 2 * images / 2, 1, machine.dot_products);
        case DenseWeights::int4_input_major:  // eight registers of floats: a mask and an addition for each
            break;
    }
    return of(4 + 8 * 2 + 8 * 2 * images / 8, 8, machine.multiply_adds);
}

/// The sums of all parts, which are written and read again.
double sum_bytes(const Dense& problem, const DenseSchedule& schedule, DenseWeights weights) {
    if (!is_input_major(weights)) return 0;
    const std::size_t parts = dense_parts(weights, problem.inputs, schedule.input_ranges);
    return static_cast<double>(parts * problem.batch * problem.outputs * sizeof(float));
}

std::size_t strip_granularity(DenseWeights weights) {
    constexpr std::size_t output_tile = 4;    // of kernels for output-major weights
    constexpr std::size_t line_of_sums = 64;  // whole cache lines of every type
    return is_input_major(weights) ? std::max(line_of_sums, dense_granularity(weights)) : output_tile;
}

/// The part of the outputs in the largest of equal strips.
double largest_strip(DenseWeights weights, const Dense& problem, std::size_t strips) {
    const std::size_t granularity = strip_granularity(weights);
    const std::size_t units = (problem.outputs + granularity - 1) / granularity;
    const std::size_t largest = (units + strips - 1) / strips * granularity;
    return static_cast<double>(std::min(largest, problem.outputs)) / static_cast<double>(problem.outputs);
}

/// The part of the work in the largest of equal tasks.
double largest_task(DenseWeights weights, const Dense& problem, const DenseSchedule& schedule) {
    const std::size_t parts = dense_parts(weights, problem.inputs, schedule.input_ranges);
    const std::size_t of_range = (parts + schedule.input_ranges - 1) / schedule.input_ranges;
    return largest_strip(weights, problem, schedule.strips) * static_cast<double>(of_range) /
           static_cast<double>(parts);
}

/// The most ranges of inputs that have some rows each.
std::size_t most_ranges(DenseWeights weights, const Dense& problem) {
    constexpr std::size_t fewest_int8_rows = 16;
    if (!is_input_major(weights)) return 1;
    return dense_parts(weights, problem.inputs, problem.inputs / fewest_int8_rows);
}

/// Calls body(n) for numbers from 1 to `most` whose distance grows with them, and for `most`.
template <class Body>
void for_counts(std::size_t most, const Body& body) {
    for (std::size_t n = 1; n < most; n += 1 + n / 8) body(n);
    body(most);
}

/// What a schedule costs, in seconds. Beside its phase: every run of memory and every task starts slowly,
/// since nothing has been prefetched; threads finish up to a task apart; the last task of a strip adds up its
/// parts.
double cost(DenseWeights weights, const Dense& problem, const DenseSchedule& schedule, const Machine& machine,
            Isa isa) {
    constexpr double bytes_of_run_start = 256;
    constexpr double bytes_of_task_start = 16384;
    Phase phase = dense_phase(weights, problem, schedule, machine, isa);
    const double runs = is_input_major(weights)
                            ? rows_read(weights, problem) * static_cast<double>(schedule.strips)
                            : static_cast<double>(problem.outputs);
    phase.read(Level::memory) += runs * bytes_of_run_start;
    const double seconds = expected_seconds(machine, {&phase, 1}, schedule.threads);
    if (schedule.threads == 1) return seconds;

    const double apart =
        seconds / 2 / std::max(static_cast<double>(schedule.tasks()) / schedule.threads, 1.0);
    const double rounds = std::ceil(static_cast<double>(schedule.tasks()) / schedule.threads);
    const auto seconds_of = [&](double bytes, Level level) {
        const double rate = machine.read(level).core;
        return rate > 0 ? bytes / rate : 0;
    };
    const double starts = seconds_of(rounds * bytes_of_task_start, Level::memory);
    const double last_strip =
        seconds_of(sum_bytes(problem, schedule, weights) / static_cast<double>(schedule.strips), Level::l3);
    return seconds + apart + starts + last_strip;
}

}  // namespace

Phase dense_phase(DenseWeights weights, const Dense& problem, const DenseSchedule& schedule,
                  const Machine& machine, Isa isa) {
    const double rows = rows_read(weights, problem);
    const double weight_bytes = rows * static_cast<double>(dense_row_bytes(weights, problem.outputs));
    const auto register_bytes = static_cast<double>(float_lanes(isa) * sizeof(float));
    Phase phase;
    // Unequal tasks count as so many equal ones that each has the largest one's work.
    phase.tasks = static_cast<std::size_t>(std::max(1.0, 1 / largest_task(weights, problem, schedule)));
    phase.cycles = weight_bytes / register_bytes * cycles_of_register(weights, problem, machine);
    phase.read(Level::memory) = weight_bytes;
    phase.read(Level::l2) = sum_bytes(problem, schedule, weights) * (1 + machine.written(Level::l2));
    return phase;
}

DenseSchedule dense_schedule(DenseWeights weights, const Dense& problem, const Machine& machine, Isa isa,
                             int threads) {
    constexpr std::size_t most_tasks_of_thread = 64;
    const std::size_t granularity = strip_granularity(weights);
    const std::size_t most_tasks = most_tasks_of_thread * static_cast<std::size_t>(threads);
    const std::size_t most_strips =
        std::max<std::size_t>((problem.outputs + granularity - 1) / granularity, 1);
    DenseSchedule best = {1, 1, threads};
    double least = std::numeric_limits<double>::infinity();
    for_counts(std::min(most_strips, most_tasks), [&](std::size_t strips) {
        for_counts(std::min(most_ranges(weights, problem), most_tasks / strips), [&](std::size_t ranges) {
            const DenseSchedule schedule = {ranges, strips, threads};
            const double seconds = cost(weights, problem, schedule, machine, isa);
            if (seconds < least) {
                least = seconds;
                best = schedule;
            }
        });
    });
    return best;
}

std::size_t dense_scratch_bytes(DenseWeights weights, const Dense& problem, const DenseSchedule& schedule) {
    if (!is_input_major(weights)) return 0;
    Dense divided = problem;
    divided.parts = dense_parts(weights, problem.inputs, schedule.input_ranges);
    return schedule.strips * sizeof(StripCounter) + divided.sums_bytes();
}

void run_dense(const DenseSteps& steps, DenseWeights weights, Dense problem, const DenseSchedule& schedule,
               std::byte* scratch) {
    const std::size_t granularity = strip_granularity(weights);
    const auto strip_outputs = [&](std::size_t strip) {
        return part_of(problem.outputs, schedule.strips, strip, granularity);
    };
    if (!is_input_major(weights)) {
        parallel_workers(schedule.threads, schedule.strips, [&](std::size_t /*worker*/, std::size_t strip) {
            steps.compute(problem, strip_outputs(strip));
        });
        return;
    }
    problem.parts = dense_parts(weights, problem.inputs, schedule.input_ranges);
    auto* const counters = reinterpret_cast<StripCounter*>(scratch);
    for (std::size_t strip = 0; strip < schedule.strips; ++strip) new (counters + strip) StripCounter;
    problem.sums = scratch + schedule.strips * sizeof(StripCounter);
    parallel_workers(schedule.threads, schedule.tasks(), [&](std::size_t /*worker*/, std::size_t task) {
        const std::size_t strip = task / schedule.input_ranges;
        const Range outputs = strip_outputs(strip);
        const Range parts = part_of(problem.parts, schedule.input_ranges, task % schedule.input_ranges);
        for (std::size_t part = parts.begin; part < parts.end; ++part) {
            steps.sum_part(problem, part, dense_part_rows(weights, problem, part), outputs);
        }
        // Whoever finishes a strip's last task sees the sums of all others.
        const std::size_t before = counters[strip].done.fetch_add(1, std::memory_order_acq_rel);
        if (before + 1 == schedule.input_ranges) steps.compute(problem, outputs);
    });
}

}  // namespace vgg19::kernels
