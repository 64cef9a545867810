#include "converter/refit/layer_samples.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "converter/refit/held_out.h"
#include "converter/refit/least_squares.h"
#include "converter/refit/ridge_choice.h"
#include "converter/refit/row_products.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// The number of positions to sample per image, so that there are several samples per unknown in total.
std::size_t positions_per_image(std::size_t unknowns, std::size_t images) {
    constexpr std::size_t least = 16384;
    constexpr std::size_t samples_per_unknown = 4;
    const std::size_t wanted = std::max(least, samples_per_unknown * unknowns);
    return (wanted + images - 1) / std::max<std::size_t>(images, 1);
}

}  // namespace

/// Samples that have not been added to the equations yet.
struct LayerSampler::Pending {
    std::vector<float> rows;         ///< [samples][unknowns]
    std::vector<float> differences;  ///< [samples][all input channels][taps]

    void clear() {
        rows.clear();
        differences.clear();
    }
};

struct LayerSampler::Samples {
    LeastSquares equations;
    Pending solved;  ///< samples for the equations
    Pending held;    ///< samples of held-out images, to judge the solutions
    std::vector<float> held_rows;
    std::vector<float> held_targets;
};

LayerSampler::LayerSampler(const model::ModelFile& model, const CalibrationImages& images, std::uint64_t seed)
    : model_(model),
      images_(images),
      seed_(seed),
      original_(model, images.session),
      current_(model, images.session) {}

std::vector<float> LayerSampler::targets(const RefitProblem& problem,
                                         std::span<const float> differences) const {
    const std::size_t row = row_taps(problem.surroundings) * current_.input_shape(problem.layer).channels;
    std::vector<float> targets(differences.size() / row * problem.outputs);
    if (!problem.weights.empty() && !targets.empty()) {
        multiply_rows(current_.plan().execution, differences, problem.weights, problem.offset, targets);
        return targets;
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i] = differences[i] + problem.offset[i % problem.outputs];
    }
    return targets;
}

void LayerSampler::flush(const RefitProblem& problem, Samples& samples) const {
    const std::vector<float> wanted = targets(problem, samples.solved.differences);
    samples.equations.add(samples.solved.rows, wanted);
    samples.solved.clear();
    const std::vector<float> held = targets(problem, samples.held.differences);
    samples.held_targets.insert(samples.held_targets.end(), held.begin(), held.end());
    samples.held_rows.insert(samples.held_rows.end(), samples.held.rows.begin(), samples.held.rows.end());
    samples.held.clear();
}

void LayerSampler::gather(const RefitProblem& problem, std::span<const std::size_t> positions,
                          const BlockedMap& wanted, const BlockedMap& given, Pending& pending) const {
    std::vector<std::size_t> every_channel(wanted.channels);
    std::iota(every_channel.begin(), every_channel.end(), std::size_t{0});
    const std::size_t taps = row_taps(problem.surroundings);
    const std::size_t unknowns = problem.regressors.size() * taps + 1;
    const std::size_t difference_size = every_channel.size() * taps;
    const std::size_t first_row = pending.rows.size();
    const std::size_t first_difference = pending.differences.size();
    pending.rows.resize(first_row + positions.size() * unknowns);
    pending.differences.resize(first_difference + positions.size() * difference_size);
    std::vector<float> present(positions.size() * difference_size);
    kernels::parallel_for(current_.plan().execution.threads, positions.size(), [&](std::size_t i) {
        float* row = pending.rows.data() + first_row + i * unknowns;
        gather_row(given, problem.regressors, positions[i], problem.surroundings, row);
        row[unknowns - 1] = 1;
        float* difference = pending.differences.data() + first_difference + i * difference_size;
        float* subtracted = present.data() + i * difference_size;
        gather_row(wanted, every_channel, positions[i], problem.surroundings, difference);
        gather_row(given, every_channel, positions[i], problem.surroundings, subtracted);
        for (std::size_t j = 0; j < difference_size; ++j) difference[j] -= subtracted[j];
    });
}

kernels::AlignedBuffer LayerSampler::copy(std::size_t layer, const float* inputs) const {
    const std::size_t values = original_.batch() * original_.input_shape(layer).image_size();
    kernels::AlignedBuffer buffer(values * sizeof(float));
    std::copy_n(inputs, values, buffer.as<float>());
    return buffer;
}

void LayerSampler::visit_kept(std::size_t layer, bool keep, const InputVisitor& visit) {
    for (KeptInputs& kept : kept_) {
        const float* wanted = original_.program().run_layers(kept_layer_, layer, kept.wanted.as<float>());
        const float* given = current_.program().run_layers(kept_layer_, layer, kept.given.as<float>());
        visit(kept.first_image, kept.images, wanted, given);
        if (!keep || layer == kept_layer_) continue;
        kept.wanted = copy(layer, wanted);
        kept.given = copy(layer, given);
    }
    if (keep) kept_layer_ = layer;
}

void LayerSampler::visit_inputs(std::size_t layer, const InputVisitor& visit) {
    constexpr std::size_t most_bytes = std::size_t{1} << 30;
    const std::size_t image_bytes = 2 * original_.input_shape(layer).image_size() * sizeof(float);
    const bool keep = image_bytes * (images_.items.size() + original_.batch()) <= most_bytes;
    if (!kept_.empty()) {
        visit_kept(layer, keep, visit);
        return;
    }
    for_each_batch(model_, images_, original_, [&](const ImageBatch& batch, const float* input) {
        const float* wanted = original_.run_to(layer, input);
        const float* given = current_.run_to(layer, input);
        visit(batch.first, batch.count, wanted, given);
        if (!keep) return;
        kept_.push_back({batch.first, batch.count, copy(layer, wanted), copy(layer, given)});
    });
    kept_layer_ = layer;
}

void LayerSampler::collect(const RefitProblem& problem, Samples& samples) {
    constexpr std::size_t flushed_samples = 1024;
    const std::size_t positions = current_.input_shape(problem.layer).positions();
    const std::size_t unknowns = samples.equations.unknowns();
    const std::size_t per_image = positions_per_image(unknowns, images_.items.size());
    visit_inputs(problem.layer, [&](std::size_t first, std::size_t count, const float* wanted,
                                    const float* given) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t image = first + i;
            gather(problem, sample_positions(positions, per_image, seed_ * images_.items.size() + image),
                   original_.input_map(problem.layer, wanted, i), current_.input_map(problem.layer, given, i),
                   is_held_out_of_refit(image) ? samples.held : samples.solved);
            if (samples.solved.rows.size() >= flushed_samples * unknowns) flush(problem, samples);
        }
    });
    flush(problem, samples);
}

RefitSolution LayerSampler::solve(const RefitProblem& problem) {
    const layers::Execution& execution = current_.plan().execution;
    RefitSolution best;
    best.unknowns = problem.regressors.size() * row_taps(problem.surroundings) + 1;
    Samples samples{{best.unknowns, problem.outputs, execution.isa, execution.threads}, {}, {}, {}, {}};
    collect(problem, samples);
    best.samples = samples.equations.samples();

    if (best.samples == 0 || samples.held_targets.empty()) return best;
    RidgeChoice choice =
        choose_ridge(execution, samples.equations, problem.outputs, samples.held_rows, samples.held_targets);
    best.values = std::move(choice.values);
    best.ridge = choice.ridge;
    best.error = choice.error;
    return best;
}

}  // namespace vgg19::converter
