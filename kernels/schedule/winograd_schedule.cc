#include "kernels/schedule/winograd_schedule.h"

#include <limits>

namespace vgg19::kernels {

namespace {

/// Where a core finds `bytes` that other cores have written.
Level shared_home(double bytes, const Machine& machine) {
    return std::max(Level::l3, machine.home(bytes));
}

/// The expected time of a schedule's phases.
class Model {
  public:
    Model(const WinogradWork& work, const WinogradSchedule& schedule, const Machine& machine)
        : work_(work), schedule_(schedule), machine_(machine) {}

    /// Each task transforms a block, and then reads all filters of its part of the channels for it.
    Phase tiles() const {
        Phase phase = {.tasks = schedule_.blocks * schedule_.channel_parts};
        const double blocks = real(schedule_.blocks);
        const double parts = real(schedule_.channel_parts);
        const double in_block = real(work_.tiles) / blocks;
        const double transformed = in_block * work_.transformed_bytes;
        const double products = in_block * work_.product_bytes / real(work_.groups);
        const Level own = own_home(transformed + products);
        const Level maps = level_of_maps();

        Phase input = {.cycles = in_block * work_.input_cycles};
        input.read(maps) += in_block * work_.input_bytes;
        input.read(own) += machine_.written(own) * transformed;
        Phase output = {.cycles = in_block * work_.output_cycles};
        output.read(maps) += machine_.written(maps) * in_block * work_.output_bytes;
        const bool in_l1 = products <= 0.75 * real(machine_.l1_bytes);
        if (!in_l1) output.read(own) += in_block * work_.product_bytes;
        phase.cycles = product_cycles() + blocks * (parts * core_cycles(input) + core_cycles(output));
        for (std::size_t level = 0; level < level_count; ++level) {
            phase.bytes[level] += blocks * (parts * input.bytes[level] + output.bytes[level]);
        }
        // V is read again for each group.
        phase.read(own) += blocks * transformed * real(work_.groups);
        if (!in_l1) phase.read(own) += machine_.written(own) * real(work_.tiles) * work_.product_bytes;
        // Of a cluster, the first thread to read a filter finds it in memory, and the others in L3, the first
        // time. Neighbouring threads have the same part of the channels.
        const int readers =
            static_cast<int>(std::min(phase.tasks, static_cast<std::size_t>(std::max(schedule_.threads, 1))));
        const double from_memory = std::max(1.0, real(machine_.clusters(readers)) / parts);
        const double first_reads = std::max(readers / parts, from_memory);
        phase.read(Level::memory) += work_.filter_bytes * from_memory;
        phase.read(Level::l3) += work_.filter_bytes * (first_reads - from_memory);
        phase.read(machine_.home(work_.filter_bytes / parts + transformed + products)) +=
            work_.filter_bytes * (blocks - first_reads);
        return phase;
    }

    /// The input transform, the products and the output transform of a block.
    std::vector<Phase> positions() const {
        const double blocks = real(schedule_.blocks);
        const double in_block = real(work_.tiles) / blocks;
        const double transformed = in_block * work_.transformed_bytes;
        const double products = in_block * work_.product_bytes;
        const Level shared = shared_home(transformed + products, machine_);
        const Level maps = level_of_maps();

        Phase input = {.tasks = transform_tasks(work_.input_blocks, in_block)};
        input.cycles = in_block * work_.input_cycles;
        input.read(maps) += in_block * work_.input_bytes;
        input.read(shared) += machine_.written(shared) * transformed;

        Phase middle = {.tasks = std::min(work_.positions * work_.groups, schedule_.tasks)};
        middle.cycles = product_cycles() / blocks;
        // V of a position comes from its writers for each task, and from the core's own cache for each group.
        const double sharers = std::max(1.0, real(middle.tasks) / real(work_.positions));
        middle.read(shared) += transformed * sharers + 2 * products;
        middle.read(machine_.home(transformed / real(work_.positions))) +=
            transformed * (real(work_.groups) - sharers);
        const double evicted = work_.filter_bytes + transformed + products;
        middle.read(schedule_.blocks == 1 ? Level::memory : shared_home(evicted, machine_)) +=
            work_.filter_bytes;
        if (schedule_.blocks > 1) middle.read(Level::memory) += work_.filter_bytes / blocks;

        Phase output = {.tasks = transform_tasks(work_.groups, in_block)};
        output.cycles = in_block * work_.output_cycles;
        output.read(shared) += products;
        output.read(maps) += machine_.written(maps) * in_block * work_.output_bytes;

        std::vector<Phase> phases;
        for (std::size_t block = 0; block < schedule_.blocks; ++block) {
            phases.insert(phases.end(), {input, middle, output});
        }
        return phases;
    }

  private:
    /// Maps that exceed the cache come from memory.
    Level level_of_maps() const {
        return shared_home(real(work_.tiles) * (work_.input_bytes + work_.output_bytes), machine_);
    }

    /// V and M of a core's block are read again at once, with few other lines in between.
    Level own_home(double bytes) const {
        return bytes <= real(machine_.l2_bytes) ? Level::l2 : shared_home(bytes, machine_);
    }

    /// The cycles of a part of a phase that does not overlap with the other parts, on one core.
    double core_cycles(const Phase& part) const {
        double seconds = 0;
        for (std::size_t level = 0; level < level_count; ++level) {
            seconds += part.bytes[level] / machine_.bandwidth[level].core;
        }
        return std::max(part.cycles, seconds * machine_.hertz);
    }

    std::size_t transform_tasks(std::size_t channels, double tiles) const {
        const auto parts = std::max<std::size_t>(schedule_.tasks / channels, 1);
        return channels * std::min(parts, std::max<std::size_t>(static_cast<std::size_t>(tiles), 1));
    }

    /// Of all blocks: some have one tile more than others.
    double product_cycles() const {
        const std::size_t fewest = work_.tiles / schedule_.blocks;
        const std::size_t with_one_more = work_.tiles % schedule_.blocks;
        const auto cycles = [&](std::size_t blocks, std::size_t tiles) {
            return blocks == 0 || tiles == 0 ? 0 : real(blocks) * work_.products.cycles(tiles);
        };
        return real(work_.positions * work_.groups) *
               (cycles(schedule_.blocks - with_one_more, fewest) + cycles(with_one_more, fewest + 1));
    }

    const WinogradWork& work_;
    const WinogradSchedule& schedule_;
    const Machine& machine_;
};

/// V and M of all threads together.
double scratch_bytes(const WinogradWork& work, const WinogradSchedule& schedule) {
    const double in_block = real(work.tiles) / real(schedule.blocks);
    if (schedule.split == WinogradSplit::positions) {
        return in_block * (work.transformed_bytes + work.product_bytes);
    }
    return in_block * (work.transformed_bytes + work.product_bytes / real(work.groups)) *
           static_cast<double>(schedule.threads);
}

/// Steps of about a twelfth.
std::size_t next_tile_count(std::size_t tiles) {
    return tiles + std::max<std::size_t>(tiles / 12, 1);
}

}  // namespace

double WinogradProductWork::cycles(std::size_t tiles) const {
    // A sum's next term waits for the last one; two values are loaded in a cycle; and each pass begins with a
    // jump to another function and ends with stores of all sums.
    constexpr double latency = 4;
    constexpr double loads = 2;
    constexpr double other_loads = 4;  // filters, and prefetches of them
    constexpr double start = 10;
    // The first filters of another position or group come from the L2 cache (fitted on Zen 5).
    constexpr double change = 60;
    const double parts = real(blocks_of(tiles, most_rows));
    const double rows = real(tiles) / parts;
    const double step = std::max({rows * vectors / rate, latency, (rows + other_loads) / loads});
    return change + parts * (steps * step + passes * (start + rows * vectors));
}

std::vector<Phase> winograd_phases(const WinogradWork& work, const WinogradSchedule& schedule,
                                   const Machine& machine) {
    const Model model(work, schedule, machine);
    if (schedule.split == WinogradSplit::tiles) return {model.tiles()};
    return model.positions();
}

WinogradSchedule fastest_winograd_schedule(const WinogradWork& work, const Machine& machine, int threads) {
    constexpr double most_scratch = 32e6;
    constexpr int few_threads = 2;
    WinogradSchedule best = {WinogradSplit::tiles, work.tiles, threads, winograd_tasks(threads)};
    double least = expected_seconds(machine, winograd_phases(work, best, machine), threads);
    const auto consider = [&](const WinogradSchedule& schedule, double most_work) {
        if (scratch_bytes(work, schedule) > most_scratch) return;
        const std::vector<Phase> phases = winograd_phases(work, schedule, machine);
        const double seconds = expected_seconds(machine, phases, threads);
        if (seconds >= least || expected_seconds(machine, phases, few_threads) > most_work) return;
        least = seconds;
        best = schedule;
    };
    const std::size_t tasks = winograd_tasks(threads);
    const auto count = static_cast<std::size_t>(threads);
    const auto consider_tiles = [&](std::size_t tiles, std::size_t parts, double most_work) {
        const std::size_t blocks = blocks_of(work.tiles, tiles);
        consider({WinogradSplit::tiles, blocks, threads, tasks, parts}, most_work);
        // All threads get the same number of tasks.
        const std::size_t equal = blocks_of(blocks * parts, count) * count / parts;
        consider({WinogradSplit::tiles, std::min(equal, work.tiles), threads, tasks, parts}, most_work);
    };
    constexpr double any_work = std::numeric_limits<double>::infinity();
    for (std::size_t tiles = 1; tiles < 2 * work.tiles; tiles = next_tile_count(tiles)) {
        const std::size_t blocks = blocks_of(work.tiles, tiles);
        constexpr std::size_t most_barriers = 64;
        if (blocks <= most_barriers) consider({WinogradSplit::positions, blocks, threads, tasks}, any_work);
        consider_tiles(tiles, 1, any_work);
    }
    // Parts of channels transform inputs again. Where fewer CPUs are free than there are threads, that would
    // cost more than it gains.
    const double most_work = expected_seconds(machine, winograd_phases(work, best, machine), few_threads);
    for (std::size_t parts = 2; parts <= count && work.groups % parts == 0; parts *= 2) {
        for (std::size_t tiles = 1; tiles < 2 * work.tiles; tiles = next_tile_count(tiles)) {
            consider_tiles(tiles, parts, most_work);
        }
    }
    return best;
}

}  // namespace vgg19::kernels
