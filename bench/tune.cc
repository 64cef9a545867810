#include "bench/tune.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <random>

#include "bench/progress.h"
#include "bench/statistics.h"
#include "bench/table.h"
#include "engine/layers/work.h"
#include "engine/model/map_size.h"
#include "engine/model/number_text.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"

namespace vgg19::bench {

namespace {

using layers::ConvolutionShape;

bool same_work(const ConvolutionShape& a, const ConvolutionShape& b) {
    return a.input_channels == b.input_channels && a.output_channels == b.output_channels &&
           a.size == b.size && a.plain_input == b.plain_input;
}

kernels::AlignedBuffer random_floats(std::size_t count, float scale) {
    kernels::AlignedBuffer buffer(count * sizeof(float));
    std::minstd_rand generator;
    std::generate_n(buffer.as<float>(), count, [&] {
        return scale * (static_cast<float>(generator()) / static_cast<float>(std::minstd_rand::max()) - 0.5F);
    });
    return buffer;
}

/// Larger than all common caches.
class Eviction {
  public:
    explicit Eviction(int threads) : threads_(threads), bytes_(std::size_t{96} << 20U) {
        std::fill_n(bytes_.as<unsigned>(), bytes_.size() / sizeof(unsigned), 1U);
    }
    void run() {
        const auto parts = static_cast<std::size_t>(threads_);
        std::vector<unsigned> sums(parts);
        kernels::parallel_for(threads_, parts, [&](std::size_t part) {
            const auto [begin, end] = kernels::part_of(bytes_.size() / sizeof(unsigned), parts, part);
            const auto* first = bytes_.as<unsigned>();
            sums[part] = std::accumulate(first + begin, first + end, 0U);
        });
        sum_ = sum_ + std::accumulate(sums.begin(), sums.end(), 0U);
    }

  private:
    int threads_;
    kernels::AlignedBuffer bytes_;
    volatile unsigned sum_ = 0;  // keeps the compiler from removing the reads
};

/// All ways to compute a shape, ready to run.
struct Candidates {
    kernels::AlignedBuffer input;
    kernels::AlignedBuffer output;
    kernels::AlignedBuffer scratch;
    std::vector<std::unique_ptr<layers::Operation>> convolutions;
    std::vector<std::vector<double>> seconds;

    Candidates(const PlannedConvolution& planned, const layers::Execution& execution)
        : seconds(planned.estimates.size()) {
        const ConvolutionShape& shape = planned.shape;
        const std::size_t block = execution.channel_block();
        const auto floats = [&](std::size_t channels) {
            return kernels::blocked_size(execution.batch, channels, shape.size.height, shape.size.width,
                                         block);
        };
        input = random_floats(floats(shape.input_channels), 1);
        output = kernels::AlignedBuffer(floats(shape.output_channels) * sizeof(float));
        const auto weights = random_floats(shape.output_channels * shape.input_channels * 9, 0.1F);
        const std::vector<float> bias(shape.output_channels, 0.1F);
        std::size_t scratch_bytes = 0;
        for (const layers::ConvolutionEstimate& estimate : planned.estimates) {
            convolutions.push_back(layers::make_convolution(
                estimate.algorithm, shape, {.weights = weights.as<float>(), .bias = bias.data()}, execution));
            scratch_bytes = std::max(scratch_bytes, convolutions.back()->scratch_bytes());
        }
        scratch = kernels::AlignedBuffer(scratch_bytes);
    }

    void run(std::size_t index, Eviction& eviction) {
        using Clock = std::chrono::steady_clock;
        eviction.run();
        const Clock::time_point begin = Clock::now();
        convolutions[index]->run(input.data(), output.data(), scratch.data());
        seconds[index].push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
};

TunedShape tune_shape(const PlannedConvolution& planned, const layers::Execution& execution, double seconds,
                      Eviction& eviction) {
    using Clock = std::chrono::steady_clock;
    constexpr int least_rounds = 3;
    Candidates candidates(planned, execution);
    const Clock::time_point begin = Clock::now();
    const auto spent = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    for (int round = 0; round < least_rounds || spent() < seconds; ++round) {
        for (std::size_t i = 0; i < candidates.convolutions.size(); ++i) candidates.run(i, eviction);
    }

    TunedShape result{.shape = planned.shape, .results = {}};
    for (std::size_t i = 0; i < candidates.seconds.size(); ++i) {
        const std::vector<double>& times = candidates.seconds[i];
        const layers::ConvolutionAlgorithm algorithm = planned.estimates[i].algorithm;
        const kernels::ExpectedTime expected =
            layers::convolution_work(algorithm, planned.shape, execution).time(execution);
        result.results.push_back({.algorithm = algorithm,
                                  .chosen = i == 0,
                                  .expected_ms = expected.seconds * 1e3,
                                  .median_ms = median(times) * 1e3,
                                  .min_ms = *std::min_element(times.begin(), times.end()) * 1e3});
    }
    return result;
}

double least_median(const TunedShape& tuned) {
    double least = tuned.results.front().median_ms;
    for (const TuneResult& result : tuned.results) least = std::min(least, result.median_ms);
    return least;
}

}  // namespace

double TunedShape::excess() const {
    return results.front().median_ms / least_median(*this);
}

std::vector<TunedShape> tune(const Plan& plan, double seconds, double /*fp32_gflops*/) {
    Eviction eviction(plan.execution.threads);
    std::vector<TunedShape> shapes;
    for (const PlannedConvolution& planned : plan.convolutions) {
        const auto is_same = [&](const TunedShape& tuned) { return same_work(tuned.shape, planned.shape); };
        if (std::any_of(shapes.begin(), shapes.end(), is_same)) continue;
        say("measuring " + planned.layer);
        shapes.push_back(tune_shape(planned, plan.execution, seconds, eviction));
    }
    return shapes;
}

std::string tune_text(const std::vector<TunedShape>& shapes) {
    Table table({"convolution", "algorithm", "expected ms", "median ms", "min ms", ""});
    for (const TunedShape& tuned : shapes) {
        const double least = least_median(tuned);
        for (const TuneResult& result : tuned.results) {
            std::string remark = result.chosen ? "chosen" : "";
            if (result.median_ms == least) remark += remark.empty() ? "fastest" : ", fastest";
            const std::string name = std::to_string(tuned.shape.input_channels) + " → " +
                                     std::to_string(tuned.shape.output_channels) + ", " +
                                     model::pixels_text(tuned.shape.size);
            table.add({name, layers::algorithm_name(result.algorithm), fixed(result.expected_ms, 2),
                       fixed(result.median_ms, 2), fixed(result.min_ms, 2), remark});
        }
    }
    std::string text = table.aligned() + "\nThe choices by the cost model take at most ";
    double worst = 1;
    for (const TunedShape& tuned : shapes) worst = std::max(worst, tuned.excess());
    return text.append(fixed(worst, 2)).append(" times the fastest.\n");
}

}  // namespace vgg19::bench
