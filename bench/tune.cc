#include "bench/tune.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <random>
#include <type_traits>

#include "bench/progress.h"
#include "bench/statistics.h"
#include "engine/layers/work.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::bench {

namespace {

using layers::ConvolutionShape;

bool same_work(const ConvolutionShape& a, const ConvolutionShape& b) {
    return a.input_channels == b.input_channels && a.output_channels == b.output_channels &&
           a.size == b.size && a.plain_input == b.plain_input && a.type == b.type &&
           a.int8_follows == b.int8_follows;
}

bool is_int8(const ConvolutionShape& shape) {
    return shape.type != layers::ConvolutionType::fp32;
}

kernels::AlignedBuffer random_floats(std::size_t count, float scale) {
    kernels::AlignedBuffer buffer(count * sizeof(float));
    std::minstd_rand generator;
    std::generate_n(buffer.as<float>(), count, [&] {
        return scale * (static_cast<float>(generator()) / static_cast<float>(std::minstd_rand::max()) - 0.5F);
    });
    return buffer;
}

/// Values up to `most`, either sign if they are signed.
template <class Value>
kernels::AlignedBuffer random_bytes(std::size_t count, int most) {
    kernels::AlignedBuffer buffer(count);
    std::minstd_rand generator;
    std::generate_n(buffer.as<Value>(), count, [&] {
        const int value = static_cast<int>(generator() % static_cast<unsigned>(most + 1));
        return static_cast<Value>(std::is_signed_v<Value> ? 2 * value - most : value);
    });
    return buffer;
}

/// Weights of a convolution of any type.
class RandomWeights {
  public:
    explicit RandomWeights(const ConvolutionShape& shape) : bias_(shape.output_channels, 0.1F) {
        const std::size_t count = shape.output_channels * shape.input_channels * 9;
        constexpr float output_scale = 0.05F;
        view_.bias = bias_.data();
        if (shape.int8_follows) view_.output_scale = output_scale;
        if (!is_int8(shape)) {
            weights_ = random_floats(count, 0.1F);
            view_.weights = weights_.as<float>();
            return;
        }
        weights_ = random_bytes<std::int8_t>(count, 127);
        weight_scale_.assign(shape.output_channels, 0.001F);
        winograd_scale_.assign(kernels::winograd_int8_most_positions, 0.1F);
        view_.int8_weights = weights_.as<std::int8_t>();
        view_.weight_scale = weight_scale_.data();
        view_.input_scale = 0.05F;
        view_.winograd_input_scale = winograd_scale_.data();
        view_.winograd_f4x4_input_scale = winograd_scale_.data();
    }
    const layers::ConvolutionWeights& view() const { return view_; }

  private:
    kernels::AlignedBuffer weights_;
    std::vector<float> bias_;
    std::vector<float> weight_scale_;
    std::vector<float> winograd_scale_;
    layers::ConvolutionWeights view_;
};

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
        const auto values = [&](std::size_t channels, std::size_t block) {
            return kernels::blocked_size(execution.batch, channels, shape.size.height, shape.size.width,
                                         block);
        };
        // Floats need more than bytes.
        output = kernels::AlignedBuffer(values(shape.output_channels, kernels::int8_channel_block) *
                                        sizeof(float));
        input = is_int8(shape) ? random_bytes<std::uint8_t>(
                                     values(shape.input_channels, kernels::int8_channel_block), 255)
                               : random_floats(values(shape.input_channels, execution.channel_block()), 1);
        const RandomWeights weights(shape);
        std::size_t scratch_bytes = 0;
        for (const layers::ConvolutionEstimate& estimate : planned.estimates) {
            convolutions.push_back(
                layers::make_convolution(estimate.algorithm, shape, weights.view(), execution));
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
        result.results.push_back(
            {.algorithm = algorithm,
             .chosen = i == 0,
             .expected = layers::convolution_work(algorithm, planned.shape, execution).time(execution),
             .median_ms = median(times) * 1e3,
             .min_ms = *std::min_element(times.begin(), times.end()) * 1e3});
    }
    return result;
}

}  // namespace

std::vector<TunedShape> tune(const Plan& plan, double seconds) {
    Eviction eviction(plan.execution.threads);
    std::vector<TunedShape> shapes;
    for (const PlannedConvolution& planned : plan.convolutions) {
        const auto is_same = [&](const TunedShape& tuned) { return same_work(tuned.shape, planned.shape); };
        if (std::any_of(shapes.begin(), shapes.end(), is_same)) continue;
        say("measuring " + planned.layer + (is_int8(planned.shape) ? " in INT8" : ""));
        shapes.push_back(tune_shape(planned, plan.execution, seconds, eviction));
    }
    return shapes;
}

}  // namespace vgg19::bench
