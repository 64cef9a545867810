#include "converter/refit/hidden_samples.h"

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "converter/refit/held_out.h"
#include "converter/refit/least_squares.h"
#include "converter/refit/ridge_choice.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

using Columns = Eigen::MatrixXf;
using Doubles = Eigen::ArrayXd;

Eigen::Index index(std::size_t value) {
    return static_cast<Eigen::Index>(value);
}

/// Channels per task of a loop over all of them.
constexpr std::size_t task_channels = 64;

template <class Body>
void for_channels(int threads, std::size_t channels, const Body& body) {
    kernels::parallel_for(threads, (channels + task_channels - 1) / task_channels, [&](std::size_t task) {
        const std::size_t first = task * task_channels;
        body(index(first), index(std::min(task_channels, channels - first)));
    });
}

/// What the next layer makes of each channel, as (mixtures, channels): its weights, or random mixtures of
/// them, which keep lengths and angles well enough if there are many outputs (Johnson and Lindenstrauss).
Columns mixed_weights(const ReaderWeights& weights, std::size_t channels, int threads) {
    constexpr std::size_t most_mixtures = 96;
    using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Index outputs = index(weights.outputs);
    Columns by_channel(outputs, index(channels));
    if (weights.input_major) {
        by_channel = Eigen::Map<const Columns>(weights.values.data(), outputs, index(channels));
    } else {
        by_channel = Eigen::Map<const RowMajor>(weights.values.data(), outputs, index(channels));
    }
    if (weights.outputs <= most_mixtures) return by_channel;
    Columns mixtures(index(most_mixtures), outputs);
    std::mt19937_64 random(1);
    for (float& share : mixtures.reshaped()) share = random() % 2 == 0 ? 1.0F : -1.0F;
    Columns mixed(index(most_mixtures), index(channels));
    for_channels(threads, channels, [&](Eigen::Index first, Eigen::Index count) {
        mixed.middleCols(first, count).noalias() = mixtures * by_channel.middleCols(first, count);
    });
    return mixed;
}

/// The state of a forward selection.
class Selection {
  public:
    Selection(const HiddenSamples& samples, const ReaderWeights& weights, int threads);

    /// Selects the best channel.
    void select();
    std::vector<std::size_t> take_order(std::size_t selections);

  private:
    double gain(Eigen::Index channel) const { return explained_(channel) / (left_(channel) + ridge_); }

    int threads_;
    Columns values_;     ///< (samples, channels), centred
    Columns targets_;    ///< (samples, mixtures), centred
    Columns products_;   ///< (mixtures, channels): valuesᵀ · what is left of the targets, transposed
    Columns basis_;      ///< orthonormal, one column per selected channel
    Doubles left_;       ///< ‖channel, without what the selected ones explain‖²
    Doubles explained_;  ///< ‖column of products_‖²
    Doubles own_share_;  ///< of each channel alone in the targets
    double ridge_ = 0;   ///< keeps channels of which little is left from being chosen
    std::vector<Eigen::Index> selected_;
    std::vector<bool> is_selected_;
};

Selection::Selection(const HiddenSamples& samples, const ReaderWeights& weights, int threads)
    : threads_(threads), is_selected_(samples.channels) {
    const Eigen::Index count = index(samples.items.size());
    const Eigen::Index channels = index(samples.channels);
    values_ = Eigen::Map<const Columns>(samples.values.data(), channels, count).transpose();
    values_.rowwise() -= values_.colwise().mean();
    const Columns mixed = mixed_weights(weights, samples.channels, threads);
    targets_.noalias() = values_ * mixed.transpose();
    products_.resize(mixed.rows(), channels);
    left_.resize(channels);
    explained_.resize(channels);
    for_channels(threads_, samples.channels, [&](Eigen::Index first, Eigen::Index number) {
        products_.middleCols(first, number).noalias() =
            targets_.transpose() * values_.middleCols(first, number);
        for (Eigen::Index c = first; c < first + number; ++c) {
            left_(c) = values_.col(c).cast<double>().squaredNorm();
            explained_(c) = products_.col(c).cast<double>().squaredNorm();
        }
    });
    own_share_ = left_ * mixed.cast<double>().colwise().squaredNorm().transpose().array();
    constexpr double relative_ridge = 1e-3;
    ridge_ = relative_ridge * left_.mean() + std::numeric_limits<double>::min();
    basis_.resize(count, 0);
}

void Selection::select() {
    Eigen::Index best = -1;
    for (Eigen::Index c = 0; c < left_.size(); ++c) {
        if (is_selected_[static_cast<std::size_t>(c)]) continue;
        if (best < 0 || gain(c) > gain(best)) best = c;
    }
    is_selected_[static_cast<std::size_t>(best)] = true;
    selected_.push_back(best);

    Eigen::VectorXf direction = values_.col(best);
    const auto known = basis_.leftCols(index(selected_.size()) - 1);
    for (int pass = 0; pass < 2; ++pass) direction -= known * (known.transpose() * direction);
    const float norm = direction.norm();
    if (!(norm > 0)) return;
    direction /= norm;
    basis_.col(index(selected_.size()) - 1) = direction;
    const Eigen::VectorXf share = targets_.transpose() * direction;
    for_channels(threads_, static_cast<std::size_t>(left_.size()),
                 [&](Eigen::Index first, Eigen::Index number) {
                     for (Eigen::Index c = first; c < first + number; ++c) {
                         const float along = values_.col(c).dot(direction);
                         products_.col(c) -= along * share;
                         left_(c) = std::max(left_(c) - double{along} * double{along}, 0.0);
                         explained_(c) = products_.col(c).squaredNorm();
                     }
                 });
}

std::vector<std::size_t> Selection::take_order(std::size_t selections) {
    basis_.setZero(basis_.rows(), index(selections));
    for (std::size_t i = 0; i < selections; ++i) select();
    std::vector<std::size_t> order;
    for (std::size_t c = 0; c < is_selected_.size(); ++c) {
        if (!is_selected_[c]) order.push_back(c);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return own_share_(index(a)) < own_share_(index(b));
    });
    std::reverse(selected_.begin(), selected_.end());
    for (const Eigen::Index channel : selected_) order.push_back(static_cast<std::size_t>(channel));
    return order;
}

/// Rows for least squares: the kept channels and the constant; targets: the removed ones.
struct Rows {
    std::vector<float> known;
    std::vector<float> wanted;

    void add(std::span<const float> sample, std::span<const std::size_t> kept,
             std::span<const std::size_t> removed) {
        for (const std::size_t channel : kept) known.push_back(sample[channel]);
        known.push_back(1);
        for (const std::size_t channel : removed) wanted.push_back(sample[channel]);
    }
};

}  // namespace

std::vector<std::size_t> selection_order(const HiddenSamples& samples, const ReaderWeights& weights,
                                         int threads) {
    const std::size_t most = std::max<std::size_t>(samples.items.size() / 2, 1);
    return Selection(samples, weights, threads).take_order(std::min(most, samples.channels));
}

ChannelMap reconstruct_hidden(const HiddenSamples& samples, std::span<const std::size_t> kept,
                              std::span<const std::size_t> left_out, const layers::Execution& execution) {
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < samples.items.size(); ++i) {
        if (!std::binary_search(left_out.begin(), left_out.end(), samples.items[i])) used.push_back(i);
    }
    if (used.empty()) {
        used.resize(samples.items.size());
        std::iota(used.begin(), used.end(), std::size_t{0});
    }
    std::vector<std::size_t> removed;
    for (std::size_t channel = 0; channel < samples.channels; ++channel) {
        if (!std::binary_search(kept.begin(), kept.end(), channel)) removed.push_back(channel);
    }
    Rows solved;
    Rows held;
    for (std::size_t i = 0; i < used.size(); ++i) {
        (is_held_out_of_refit(i) ? held : solved).add(samples.row(used[i]), kept, removed);
    }
    LeastSquares equations(kept.size() + 1, removed.size(), execution.isa, execution.threads);
    equations.add(solved.known, solved.wanted);

    ChannelMap map = {.channels = samples.channels,
                      .kept = kept,
                      .weights = std::vector<float>(samples.channels * kept.size()),
                      .constants = std::vector<float>(samples.channels)};
    for (std::size_t i = 0; i < kept.size(); ++i) map.weights[kept[i] * kept.size() + i] = 1;
    RidgeChoice choice;
    if (!held.wanted.empty()) {
        choice = choose_ridge(execution, equations, removed.size(), held.known, held.wanted);
    }
    constexpr double usual_ridge = 0.03;
    if (choice.values.empty()) choice.values = equations.solve(usual_ridge);
    const float* value = choice.values.data();
    for (const std::size_t channel : removed) {
        for (std::size_t i = 0; i < kept.size(); ++i) map.weights[channel * kept.size() + i] = *value++;
        map.constants[channel] = *value++;
    }
    return map;
}

}  // namespace vgg19::converter
