#include "bench/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "bench/statistics.h"

namespace vgg19::bench {

namespace {

using kernels::Level;
using kernels::Work;

constexpr double kilo = 1e3;
constexpr double giga = 1e9;
constexpr Level all_levels[] = {Level::l2, Level::l3, Level::memory};

ReadLevel read_level(Level level) {
    constexpr ReadLevel levels[] = {ReadLevel::l2, ReadLevel::l3, ReadLevel::memory};
    return levels[static_cast<std::size_t>(level)];
}

/// In bytes per second; none if it was not measured.
std::optional<double> peak_of(Level level, const Peaks& peaks) {
    for (const ReadPeak& peak : peaks.reads) {
        if (peak.level == read_level(level)) return peak.gb_per_second * giga;
    }
    return std::nullopt;
}

/// In operations per second.
double arithmetic_peak(const PlanStep& step, const Peaks& peaks) {
    const bool is_int8 = step.arithmetic == Arithmetic::int8;
    return (is_int8 && peaks.int8_gops ? *peaks.int8_gops : peaks.fp32_gflops) * giga;
}

void set_level_shares(LayerTime& time, const ExpectedStep& expected, double seconds, const Peaks& peaks) {
    double largest = time.arithmetic_share;
    time.limit = "arithmetic";
    for (const Level level : all_levels) {
        const auto index = static_cast<std::size_t>(level);
        time.level_bytes[index] = static_cast<std::uint64_t>(std::llround(expected.bytes[index]));
        const std::optional<double> peak = peak_of(level, peaks);
        if (!peak) continue;
        const double share = expected.bytes[index] / seconds / *peak;
        time.level_share[index] = share;
        if (share <= largest) continue;
        largest = share;
        time.limit = kernels::level_name(level);
    }
}

std::optional<LayerTime::Parts> parts_of(const PlanStep& step, const kernels::WorkSeconds& work, int threads,
                                         double peak) {
    if (!(work[Work::products] > 0)) return std::nullopt;
    const double of_threads = kilo / threads;
    return LayerTime::Parts{
        .input_transform_ms = work[Work::input_transform] * of_threads,
        .products_ms = work[Work::products] * of_threads,
        .output_transform_ms = work[Work::output_transform] * of_threads,
        .products_share = static_cast<double>(step.operations) / (work[Work::products] / threads) / peak};
}

double seconds_of_run(Session& session, std::span<const float> input, std::span<float> logits) {
    const auto start = std::chrono::steady_clock::now();
    session.run(input, logits);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The times of each step in some runs.
class Samples {
  public:
    explicit Samples(std::size_t steps) : steps_(steps) {}

    void add(const std::vector<double>& seconds, const std::vector<kernels::WorkSeconds>& work) {
        for (std::size_t step = 0; step < steps_.size(); ++step) {
            steps_[step].whole.push_back(seconds[step]);
            for (std::size_t kind = 0; kind < kernels::work_count; ++kind) {
                steps_[step].work[kind].push_back(work[step].of[kind]);
            }
        }
    }

    StepSeconds medians(std::size_t step) const {
        constexpr double shortest_clock_tick = 1e-9;
        StepSeconds seconds{.whole = std::max(median(steps_[step].whole), shortest_clock_tick), .work = {}};
        for (std::size_t kind = 0; kind < kernels::work_count; ++kind) {
            seconds.work.of[kind] = median(steps_[step].work[kind]);
        }
        return seconds;
    }

  private:
    struct OfStep {
        std::vector<double> whole;
        std::vector<double> work[kernels::work_count];
    };
    std::vector<OfStep> steps_;
};

}  // namespace

LayerTime layer_time(const PlanStep& step, const ExpectedStep& expected, std::size_t batch, int threads,
                     const StepSeconds& seconds, const Peaks& peaks) {
    const double direct = 2 * static_cast<double>(step.macs * batch);
    const auto executed = static_cast<double>(step.operations);
    const auto bytes = static_cast<double>(step.weight_bytes + step.activation_bytes);
    const double peak = arithmetic_peak(step, peaks);
    const double least_seconds = std::max(executed / peak, bytes / (peaks.read_gb_per_second * giga));
    LayerTime time{.layer = step.layer,
                   .kernel = step.kernel,
                   .median_ms = seconds.whole * kilo,
                   .gflops = direct / seconds.whole / giga,
                   .executed_gflops = executed / seconds.whole / giga,
                   .gb_per_second = bytes / seconds.whole / giga,
                   .share_of_peak = least_seconds / seconds.whole,
                   .arithmetic_share = executed / seconds.whole / peak,
                   .level_share = {},
                   .limit = {},
                   .parts = parts_of(step, seconds.work, threads, peak)};
    set_level_shares(time, expected, seconds.whole, peaks);
    return time;
}

Profile profile(Session& session, int threads, const ExpectedRun& expected, std::span<const float> input,
                std::span<float> logits, const Peaks& peaks) {
    constexpr std::size_t runs = 9;
    const std::vector<PlanStep>& plan = session.plan();
    Samples samples(plan.size());
    std::vector<double> whole_runs;
    std::vector<double> seconds(plan.size());
    session.run(input, logits);
    for (std::size_t run = 0; run < runs; ++run) {
        kernels::WorkClock::start();
        session.run(input, logits, seconds);
        samples.add(seconds, kernels::WorkClock::stop());
        whole_runs.push_back(seconds_of_run(session, input, logits));
    }
    Profile profile{.layers = {}, .end_to_end_ms = median(whole_runs) * kilo};
    for (std::size_t step = 0; step < plan.size(); ++step) {
        profile.layers.push_back(layer_time(plan[step], expected.steps[step], session.batch(), threads,
                                            samples.medians(step), peaks));
        profile.layers_ms += profile.layers.back().median_ms;
    }
    return profile;
}

}  // namespace vgg19::bench
