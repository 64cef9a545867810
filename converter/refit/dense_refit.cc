#include "converter/refit/dense_refit.h"

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>
#include <algorithm>

#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>;

Eigen::Index index(std::size_t value) {
    return static_cast<Eigen::Index>(value);
}

/// Weights [channels][area][outputs]: one product per element of the area.
void fold_input_major(const ChannelMap& map, const DenseWeights& dense, std::span<float> weight) {
    const std::size_t row = dense.weight.size() / map.channels;  // for one channel
    const Eigen::Map<const RowMajor> share(map.weights.data(), index(map.channels), index(map.kept.size()));
    kernels::parallel_for(kernels::available_cpus(), row / dense.outputs, [&](std::size_t element) {
        const std::size_t offset = element * dense.outputs;
        const Rows from(dense.weight.data() + offset, index(map.channels), index(dense.outputs),
                        Eigen::OuterStride<>(index(row)));
        const RowMajor folded = share.transpose() * from;
        for (std::size_t i = 0; i < map.kept.size(); ++i) {
            std::copy_n(folded.row(index(i)).data(), dense.outputs,
                        weight.data() + map.kept[i] * row + offset);
        }
    });
}

/// Weights [outputs][channels][area]: one product per output.
void fold_output_major(const ChannelMap& map, const DenseWeights& dense, std::span<float> weight) {
    const std::size_t inputs = dense.weight.size() / dense.outputs;
    const std::size_t area = inputs / map.channels;
    const Eigen::Map<const RowMajor> share(map.weights.data(), index(map.channels), index(map.kept.size()));
    kernels::parallel_for(kernels::available_cpus(), dense.outputs, [&](std::size_t output) {
        const Eigen::Map<const RowMajor> from(dense.weight.data() + output * inputs, index(map.channels),
                                              index(area));
        const RowMajor folded = share.transpose() * from;
        for (std::size_t i = 0; i < map.kept.size(); ++i) {
            std::copy_n(folded.row(index(i)).data(), area,
                        weight.data() + output * inputs + map.kept[i] * area);
        }
    });
}

}  // namespace

void fold_channel_map(const ChannelMap& map, const DenseWeights& dense, std::span<float> weight,
                      std::span<float> bias) {
    const bool input_major = dense.order == model::DenseOrder::input_major;
    const std::size_t area = dense.weight.size() / dense.outputs / map.channels;
    std::vector<double> sums(dense.bias.begin(), dense.bias.end());
    for (std::size_t input = 0; input < map.channels * area; ++input) {
        const auto constant = static_cast<double>(map.constants[input / area]);
        if (constant == 0) continue;
        for (std::size_t output = 0; output < dense.outputs; ++output) {
            const std::size_t at =
                input_major ? input * dense.outputs + output : output * map.channels * area + input;
            sums[output] += constant * static_cast<double>(dense.weight[at]);
        }
    }
    std::transform(sums.begin(), sums.end(), bias.begin(),
                   [](double sum) { return static_cast<float>(sum); });
    std::fill(weight.begin(), weight.end(), 0.0F);
    if (input_major) {
        fold_input_major(map, dense, weight);
    } else {
        fold_output_major(map, dense, weight);
    }
}

}  // namespace vgg19::converter
