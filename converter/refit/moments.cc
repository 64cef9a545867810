#include "converter/refit/moments.h"

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "converter/prune/prune.h"
#include "converter/refit/layer_pass.h"
#include "converter/refit/patches.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

using Matrix = Eigen::MatrixXd;

/// Relative to the mean diagonal; handles channels that are never active, or linearly dependent.
constexpr double ridge = 1e-4;

Eigen::Index index(std::size_t value) {
    return static_cast<Eigen::Index>(value);
}

/// Both halves, with the ridge; the constant is the last row.
Matrix moment_matrix(const LeastSquares& moments) {
    const std::size_t size = moments.unknowns();
    Matrix matrix(index(size), index(size));
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            matrix(index(i), index(j)) = matrix(index(j), index(i)) = moments.moment(i, j);
        }
    }
    auto diagonal = matrix.diagonal().head(index(size - 1));
    const double mean = diagonal.mean();
    diagonal.array() += ridge * mean + std::numeric_limits<double>::min();
    return matrix;
}

}  // namespace

ChannelStatistics measure_statistics(const model::ModelFile& model, const CalibrationImages& images,
                                     bool hidden, const model::Progress& progress) {
    constexpr std::size_t wanted_samples = 16384;
    require_fp32_throughout(model);
    LayerPass pass(model, images.session);
    const layers::Execution& execution = pass.plan().execution;
    const std::size_t convolutions = model.network().convolutions().size();
    ChannelStatistics statistics;
    /// The place among the hidden layers whose outputs a layer reads.
    std::vector<std::optional<std::size_t>> hidden_before(pass.plan().layer_count());
    for (const PrunableLayer& layer : prunable_layers(model.network())) {
        if (layer.part == Part::features) {
            statistics.moments.emplace_back(layer.channels + 1, 0, execution.isa, execution.threads);
        } else if (hidden) {
            hidden_before[layer.reader] = statistics.hidden.size();
            statistics.hidden.push_back({layer.channels, images.items, {}});
        }
    }
    const std::size_t per_image = (wanted_samples + images.items.size() - 1) / images.items.size();

    const auto add = [&](std::size_t layer, const float* input, const ImageBatch& batch) {
        const MapShape& shape = pass.input_shape(layer);
        std::vector<std::size_t> channels(shape.channels);
        std::iota(channels.begin(), channels.end(), std::size_t{0});
        const std::size_t count = std::min(per_image, shape.positions());
        std::vector<float> rows(batch.count * count * (shape.channels + 1), 1.0F);
        kernels::parallel_for(execution.threads, batch.count, [&](std::size_t image) {
            const auto positions = sample_positions(shape.positions(), count, batch.first + image);
            for (std::size_t i = 0; i < count; ++i) {
                gather_row(pass.input_map(layer, input, image), channels, positions[i], Surroundings::none,
                           rows.data() + (image * count + i) * (shape.channels + 1));
            }
        });
        statistics.moments[layer - 1].add(rows, {});
    };
    std::vector<float> logits(pass.batch() * model.network().classes());
    for_each_batch(model, images, pass, [&](const ImageBatch& batch, const float* input) {
        pass.program().run(input, logits.data(), {}, [&](std::size_t layer, const float* values) {
            if (layer >= 1 && layer <= convolutions) add(layer, values, batch);
            if (hidden_before[layer]) {
                HiddenSamples& samples = statistics.hidden[*hidden_before[layer]];
                samples.values.insert(samples.values.end(), values, values + batch.count * samples.channels);
            }
        });
        if (progress) progress(batch.first + batch.count, images.items.size());
    });
    return statistics;
}

ChannelMap reconstruct_channels(const LeastSquares& moments, std::span<const std::size_t> kept) {
    const std::size_t channels = moments.unknowns() - 1;
    ChannelMap map = {.channels = channels,
                      .kept = kept,
                      .weights = std::vector<float>(channels * kept.size()),
                      .constants = std::vector<float>(channels)};
    std::vector<Eigen::Index> known(kept.begin(), kept.end());
    known.push_back(index(channels));
    const Matrix all = moment_matrix(moments);
    const Eigen::LLT<Matrix> factors(Matrix(all(known, known)));
    const Matrix solution = factors.solve(Matrix(all(known, Eigen::all)));
    for (std::size_t channel = 0; channel < channels; ++channel) {
        if (std::binary_search(kept.begin(), kept.end(), channel)) continue;
        for (std::size_t i = 0; i < kept.size(); ++i) {
            map.weights[channel * kept.size() + i] = static_cast<float>(solution(index(i), index(channel)));
        }
        map.constants[channel] = static_cast<float>(solution(index(kept.size()), index(channel)));
    }
    for (std::size_t i = 0; i < kept.size(); ++i) map.weights[kept[i] * kept.size() + i] = 1;
    return map;
}

std::vector<std::size_t> least_loss_order(const LeastSquares& moments, std::vector<double> importance) {
    const std::size_t channels = moments.unknowns() - 1;
    const auto size = index(channels);
    const Matrix all = moment_matrix(moments);
    // The constant is never removed, so only the channels' part of the inverse is needed.
    Matrix inverse =
        Eigen::LLT<Matrix>(all).solve(Matrix::Identity(size + 1, size + 1)).topLeftCorner(size, size);
    Eigen::Map<Matrix> weights(importance.data(), size, size);
    std::vector<Eigen::Index> left(channels);
    std::iota(left.begin(), left.end(), Eigen::Index{0});
    std::vector<std::size_t> order;
    while (!left.empty()) {
        const auto loss = [&](Eigen::Index c) { return weights(c, c) / inverse(c, c); };
        auto least = left.begin();
        for (auto it = left.begin(); it != left.end(); ++it) {
            if (loss(*it) <= loss(*least)) least = it;
        }
        const Eigen::Index gone = *least;
        left.erase(least);
        order.push_back(static_cast<std::size_t>(gone));
        const Eigen::VectorXd inverse_column = inverse.col(gone);
        const Eigen::VectorXd weight_column = weights.col(gone);
        const double variance = inverse(gone, gone);
        const double norm = weights(gone, gone);
        for (const Eigen::Index j : left) {
            const double share = inverse_column(j) / variance;
            for (const Eigen::Index k : left) {
                const double other = inverse_column(k) / variance;
                weights(k, j) += share * other * norm - share * weight_column(k) - other * weight_column(j);
                inverse(k, j) -= share * inverse_column(k);
            }
        }
    }
    return order;
}

}  // namespace vgg19::converter
