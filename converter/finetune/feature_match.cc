// Eigen would start OpenMP's threads, which wait for each other in loops, in each of ours.
#define EIGEN_DONT_PARALLELIZE

#include "converter/finetune/feature_match.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// Channels × pixels of an image, as they lie in memory.
using Plane = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using ConstPlane = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

constexpr std::size_t group_pixels = 64;

Eigen::Index index(std::size_t value) {
    return static_cast<Eigen::Index>(value);
}

ConstPlane plane(std::span<const float> values, std::size_t image, std::size_t channels, std::size_t pixels) {
    return {values.data() + image * channels * pixels, index(channels), index(pixels)};
}

}  // namespace

FeatureMatch::FeatureMatch(std::vector<PoolShape> pools) : shapes_(std::move(pools)) {
    for (const PoolShape& shape : shapes_) {
        const Eigen::Index inputs = index(shape.channels + 1);
        const Eigen::Index outputs = index(shape.teacher_channels);
        fits_.push_back({.gram = Eigen::MatrixXd::Zero(inputs, inputs),
                         .products = Eigen::MatrixXd::Zero(inputs, outputs),
                         .sum = Eigen::VectorXd::Zero(outputs)});
    }
}

void FeatureMatch::add_sample(std::size_t pool, std::size_t images, std::span<const float> outputs,
                              std::span<const float> teacher) {
    const PoolShape& shape = shapes_[pool];
    Fit& fit = fits_[pool];
    Eigen::MatrixXd extended = Eigen::MatrixXd::Ones(index(shape.channels + 1), index(shape.pixels));
    for (std::size_t image = 0; image < images; ++image) {
        extended.topRows(index(shape.channels)) =
            plane(outputs, image, shape.channels, shape.pixels).cast<double>();
        const Eigen::MatrixXd wanted =
            plane(teacher, image, shape.teacher_channels, shape.pixels).cast<double>();
        fit.gram.noalias() += extended * extended.transpose();
        fit.products.noalias() += extended * wanted.transpose();
        fit.sum += wanted.rowwise().sum();
        fit.squares += wanted.squaredNorm();
        fit.images += 1;
    }
}

void FeatureMatch::fit() {
    // So small that it only decides where samples do not.
    constexpr double ridge = 1e-4;
    for (std::size_t pool = 0; pool < fits_.size(); ++pool) {
        Fit& fit = fits_[pool];
        const Eigen::Index channels = index(shapes_[pool].channels);
        const double mean_square = fit.gram.diagonal().head(channels).mean();
        fit.gram.diagonal().head(channels).array() += ridge * mean_square + 1e-30;
        const Eigen::MatrixXd solution = fit.gram.ldlt().solve(fit.products);
        fit.map = solution.topRows(channels).transpose().cast<float>();
        fit.offset = solution.row(channels).transpose().cast<float>();
        const double samples = fit.images * static_cast<double>(shapes_[pool].pixels);
        const double variance = (fit.squares - fit.sum.squaredNorm() / samples) / fit.images;
        // A teacher's pool without variance says nothing.
        fit.weight = variance > 0 ? 1 / (variance * static_cast<double>(fits_.size())) : 0;
    }
}

double FeatureMatch::add_gradient(std::size_t pool, std::size_t images, std::span<const float> outputs,
                                  std::span<const float> teacher, double scale, int threads,
                                  std::span<float> gradient) const {
    const PoolShape& shape = shapes_[pool];
    const Fit& fit = fits_[pool];
    // Small maps go through the products in groups, in which packing the map's matrix does not weigh.
    const std::size_t group = std::max<std::size_t>(group_pixels / shape.pixels, 1);
    const std::size_t groups = (images + group - 1) / group;
    std::vector<double> losses(groups);
    kernels::parallel_for(threads, groups, [&](std::size_t part) {
        const std::size_t first = part * group;
        const std::size_t count = std::min(group, images - first);
        const auto columns = [&](std::size_t image) { return index((image - first) * shape.pixels); };
        Eigen::MatrixXf features(index(shape.channels), index(count * shape.pixels));
        for (std::size_t image = first; image < first + count; ++image) {
            features.middleCols(columns(image), index(shape.pixels)) =
                plane(outputs, image, shape.channels, shape.pixels);
        }
        Eigen::MatrixXf error = fit.map * features;
        error.colwise() += fit.offset;
        for (std::size_t image = first; image < first + count; ++image) {
            error.middleCols(columns(image), index(shape.pixels)) -=
                plane(teacher, image, shape.teacher_channels, shape.pixels);
        }
        losses[part] = fit.weight * static_cast<double>(error.squaredNorm());
        features.noalias() = static_cast<float>(2 * scale * fit.weight) * (fit.map.transpose() * error);
        for (std::size_t image = first; image < first + count; ++image) {
            Plane target(gradient.data() + image * shape.channels * shape.pixels, index(shape.channels),
                         index(shape.pixels));
            target += features.middleCols(columns(image), index(shape.pixels));
        }
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace vgg19::converter
