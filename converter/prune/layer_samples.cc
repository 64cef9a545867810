#include "converter/prune/layer_samples.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "converter/prune/least_squares.h"
#include "kernels/common/parallel.h"
#include "kernels/dense_fp32/dense_fp32.h"

namespace vgg19::converter {

namespace {

/// Every so many images one is held out.
constexpr std::size_t held_out_period = 8;

bool is_held_out(std::size_t image) {
    return image % held_out_period == held_out_period - 1;
}

/// Positions of an image that are sampled: so many that there are several samples an unknown in all.
std::size_t positions_per_image(std::size_t unknowns, std::size_t images) {
    constexpr std::size_t least = 16384;
    constexpr std::size_t samples_per_unknown = 4;
    const std::size_t wanted = std::max(least, samples_per_unknown * unknowns);
    return (wanted + images - 1) / std::max<std::size_t>(images, 1);
}

/// outputs[s] = weights · rows[s] + offset
void multiply_rows(const layers::Execution& execution, std::span<const float> rows,
                   std::span<const float> weights, std::span<const float> offset, std::span<float> outputs) {
    const std::size_t count = offset.size();
    const std::size_t batch = outputs.size() / count;
    const auto kernel = kernels::select(kernels::dense_fp32_kernels(), execution.isa);
    const kernels::DenseFp32 problem = {.batch = batch,
                                        .inputs = rows.size() / batch,
                                        .outputs = count,
                                        .input = rows.data(),
                                        .weights = weights.data(),
                                        .bias = offset.data(),
                                        .output = outputs.data()};
    constexpr std::size_t task_outputs = 32;
    const std::size_t tasks = (count + task_outputs - 1) / task_outputs;
    kernels::parallel_workers(execution.threads, tasks, [&](std::size_t, std::size_t task) {
        kernel.run(problem, task * task_outputs, std::min(count, (task + 1) * task_outputs));
    });
}

double squared_sum(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += double{value} * double{value};
    return sum;
}

}  // namespace

struct LayerSampler::Samples {
    LeastSquares equations;
    std::vector<float> held_rows;
    std::vector<float> held_targets;
};

LayerSampler::LayerSampler(const model::ModelFile& model, const CalibrationImages& images,
                           std::uint64_t seed)
    : model_(model),
      images_(images),
      seed_(seed),
      original_(model, images.session),
      current_(model, images.session) {}

void LayerSampler::collect(const RefitProblem& problem, Samples& samples) {
    const layers::Execution& execution = current_.plan().execution;
    const MapShape& shape = current_.input_shape(problem.layer);
    std::vector<std::size_t> every_channel(shape.channels);
    std::iota(every_channel.begin(), every_channel.end(), std::size_t{0});
    const std::size_t taps = row_taps(problem.surroundings);
    const std::size_t unknowns = samples.equations.unknowns();
    const std::size_t per_image =
        std::min(shape.positions(), positions_per_image(unknowns, images_.items.size()));

    std::vector<float> rows(per_image * unknowns);
    std::vector<float> wanted_rows(per_image * taps * shape.channels);
    std::vector<float> targets(per_image * problem.outputs);
    const auto add_image = [&](std::size_t image, const BlockedMap& wanted, const BlockedMap& given) {
        const auto positions = sample_positions(shape.positions(), per_image, seed_ * 1000003 + image);
        kernels::parallel_for(execution.threads, per_image, [&](std::size_t i) {
            float* row = &rows[i * unknowns];
            gather_row(given, problem.regressors, positions[i], problem.surroundings, row);
            row[unknowns - 1] = 1;
            float* difference = &wanted_rows[i * taps * shape.channels];
            std::vector<float> present(taps * shape.channels);
            gather_row(wanted, every_channel, positions[i], problem.surroundings, difference);
            gather_row(given, every_channel, positions[i], problem.surroundings, present.data());
            for (std::size_t j = 0; j < present.size(); ++j) difference[j] -= present[j];
        });
        if (problem.weights.empty()) {
            for (std::size_t i = 0; i < targets.size(); ++i) {
                targets[i] = wanted_rows[i] + problem.offset[i % problem.outputs];
            }
        } else {
            multiply_rows(execution, wanted_rows, problem.weights, problem.offset, targets);
        }
        if (is_held_out(image)) {
            samples.held_rows.insert(samples.held_rows.end(), rows.begin(), rows.end());
            samples.held_targets.insert(samples.held_targets.end(), targets.begin(), targets.end());
        } else {
            samples.equations.add(rows, targets);
        }
    };
    for_each_batch(model_, images_, original_, [&](const ImageBatch& batch, const float* input) {
        const float* wanted = original_.run_to(problem.layer, input);
        const float* given = current_.run_to(problem.layer, input);
        for (std::size_t i = 0; i < batch.count; ++i) {
            add_image(batch.first + i, original_.input_map(problem.layer, wanted, i),
                      current_.input_map(problem.layer, given, i));
        }
    });
}

RefitSolution LayerSampler::solve(const RefitProblem& problem) {
    const layers::Execution& execution = current_.plan().execution;
    RefitSolution best;
    best.unknowns = problem.regressors.size() * row_taps(problem.surroundings) + 1;
    Samples samples{{best.unknowns, problem.outputs, execution.isa, execution.threads}, {}, {}};
    collect(problem, samples);
    best.samples = samples.equations.samples();

    const double plain = squared_sum(samples.held_targets);
    std::vector<float> left(samples.held_targets.size());
    const std::vector<float> no_offset(problem.outputs);
    std::vector<double> ridges;
    std::istringstream list(std::getenv("RIDGES") ? std::getenv("RIDGES") : "0.001 0.01 0.1");
    for (double r; list >> r;) ridges.push_back(r);
    for (const double ridge : ridges) {
        std::vector<float> values = samples.equations.solve(ridge);
        if (left.empty()) return best;
        multiply_rows(execution, samples.held_rows, values, no_offset, left);
        for (std::size_t i = 0; i < left.size(); ++i) left[i] -= samples.held_targets[i];
        const double error = squared_sum(left) / plain;
        std::fprintf(stderr, "layer %zu ridge %g error %g\n", problem.layer, ridge, error);
        if (error < best.error) {
            best.error = error;
            best.ridge = ridge;
            best.values = std::move(values);
        }
    }
    return best;
}

}  // namespace vgg19::converter
