#include "vgg19/losses.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "engine/guarded.h"
#include "engine/program/planning.h"
#include "engine/require_length.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/parallel.h"
#include "kernels/gram/gram.h"
#include "kernels/losses/losses.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

using kernels::blocks_of;

/// What the options mean on this CPU.
struct Means {
    explicit Means(const LossOptions& options)
        : threads(planned_threads({.threads = options.threads})),
          isa(this_target({.isa = options.isa}).isa) {}
    int threads;
    kernels::Isa isa;
};

void require_gradient(const LossGradient& gradient, std::size_t size) {
    if (!gradient.values.empty()) require_length("gradient", size, gradient.values.size());
}

bool overlap(std::span<const float> a, std::span<const float> b) {
    return !a.empty() && !b.empty() && a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

void require_apart(const LossGradient& gradient, const char* what, std::span<const float> values) {
    if (!overlap(gradient.values, values)) return;
    throw Error(ErrorKind::usage,
                std::string("gradient: expected memory of its own, found that of the ") + what);
}

/// Σ sum_of(begin, end) over parts of `size`, in their order.
template <class Sum>
double sum_in_parts(std::size_t size, std::size_t part_size, int threads, const Sum& sum_of) {
    std::vector<double> sums(blocks_of(size, part_size));
    kernels::parallel_for(threads, sums.size(), [&](std::size_t part) {
        sums[part] = sum_of(part * part_size, std::min((part + 1) * part_size, size));
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

using DifferenceSum = double (*)(const kernels::Difference&, std::size_t, std::size_t);

double mean_difference(DifferenceSum kernels::LossKernels::*kind, std::span<const float> features,
                       std::span<const float> target, float weight, const LossGradient& gradient,
                       const LossOptions& options) {
    if (features.empty()) throw Error(ErrorKind::usage, "features: expected values, found none");
    require_length("target", features.size(), target.size());
    require_gradient(gradient, features.size());
    if (gradient.adds) require_apart(gradient, "features, to which a gradient cannot be added", features);
    require_apart(gradient, "target", target);
    const Means means(options);
    const double scale = double{weight} / static_cast<double>(features.size());
    const kernels::Difference problem = {
        .a = features.data(),
        .b = target.data(),
        .factor = static_cast<float>(scale),
        .gradient = gradient.values.empty() ? nullptr : gradient.values.data(),
        .adds = gradient.adds};
    const kernels::LossKernels& kernel = *kernels::select(kernels::losses_kernels(), means.isa).run;
    constexpr std::size_t part = 16 * kernels::loss_run;
    double sum = 0;
    guarded(options.parallel_for, [&] {
        sum = sum_in_parts(features.size(), part, means.threads, [&](std::size_t begin, std::size_t end) {
            return (kernel.*kind)(problem, begin, end);
        });
    });
    return scale * sum;
}

void require_features(std::span<const float> features, const FeatureShape& shape) {
    if (shape.size() == 0) throw Error(ErrorKind::usage, "features: expected a shape without a zero");
    require_length("features", shape.size(), features.size());
}

/// The matrix of one image, in double, below the diagonal too.
std::vector<double> gram_of(std::span<const float> features, const FeatureShape& shape, const Means& means) {
    const std::size_t channels = shape.channels;
    std::vector<double> gram(channels * channels);
    const kernels::GramSums problem = {
        .rows = channels, .columns = shape.pixels, .values = features.data(), .sums = gram.data()};
    const kernels::GramKernels& kernel = *kernels::select(kernels::gram_kernels(), means.isa).run;
    for (std::size_t chunk = 0; chunk < problem.chunks(); ++chunk) {
        kernels::parallel_for(means.threads, problem.tasks(),
                              [&](std::size_t task) { kernel.sums(problem, chunk, task); });
    }
    const double scale = 1 / static_cast<double>(channels * shape.pixels);
    for (std::size_t i = 0; i < channels; ++i) {
        for (std::size_t j = i; j < channels; ++j) {
            gram[j * channels + i] = gram[i * channels + j] *= scale;
        }
    }
    return gram;
}

/// Of one image's features: Σ_k factors[i][k] · features[k][p].
void multiply(std::span<const float> features, const FeatureShape& shape, const std::vector<float>& factors,
              std::span<float> result, bool adds, const Means& means) {
    const kernels::GramProduct problem = {.rows = shape.channels,
                                          .columns = shape.pixels,
                                          .factors = factors.data(),
                                          .values = features.data(),
                                          .result = result.data(),
                                          .adds = adds};
    const kernels::GramKernels& kernel = *kernels::select(kernels::gram_kernels(), means.isa).run;
    std::vector<float> scratch(static_cast<std::size_t>(means.threads) * problem.scratch_size());
    kernels::parallel_workers(means.threads, problem.strips(), [&](std::size_t worker, std::size_t strip) {
        kernel.product(problem, strip, scratch.data() + worker * problem.scratch_size());
    });
}

}  // namespace

double l1_loss(std::span<const float> features, std::span<const float> target, float weight,
               const LossGradient& gradient, const LossOptions& options) {
    return mean_difference(&kernels::LossKernels::absolute, features, target, weight, gradient, options);
}

double l2_loss(std::span<const float> features, std::span<const float> target, float weight,
               const LossGradient& gradient, const LossOptions& options) {
    return mean_difference(&kernels::LossKernels::squared, features, target, weight, gradient, options);
}

FeatureShape feature_shape(const Output& output) {
    if (output.shape.size() != 4) {
        throw Error(ErrorKind::usage, output.name + ": expected an output of four dimensions, found " +
                                          std::to_string(output.shape.size()));
    }
    return {
        .batch = output.shape[0], .channels = output.shape[1], .pixels = output.shape[2] * output.shape[3]};
}

void gram_matrix(std::span<const float> features, const FeatureShape& shape, std::span<float> gram,
                 const LossOptions& options) {
    require_features(features, shape);
    require_length("gram", shape.gram_size(), gram.size());
    const Means means(options);
    guarded(options.parallel_for, [&] {
        const std::size_t image_size = shape.channels * shape.pixels;
        float* to = gram.data();
        for (std::size_t image = 0; image < shape.batch; ++image) {
            const std::vector<double> sums =
                gram_of(features.subspan(image * image_size, image_size), shape, means);
            to = std::transform(sums.begin(), sums.end(), to,
                                [](double value) { return static_cast<float>(value); });
        }
    });
}

/// With G = F Fᵀ / (c · p) and L = w / (b · c²) · Σ (G − A)²: dL/dF = 4 w / (b · c³ · p) · S F, where S is
/// the symmetric part of G − A.
double gram_loss(std::span<const float> features, const FeatureShape& shape,
                 std::span<const float> target_gram, float weight, const LossGradient& gradient,
                 const LossOptions& options) {
    require_features(features, shape);
    require_length("target gram", shape.gram_size(), target_gram.size());
    require_gradient(gradient, features.size());
    require_apart(gradient, "features", features);
    require_apart(gradient, "target gram", target_gram);
    const Means means(options);
    const std::size_t channels = shape.channels;
    const std::size_t image_size = channels * shape.pixels;
    const double scale = double{weight} / static_cast<double>(shape.gram_size());
    const double slope = 4 * scale / static_cast<double>(image_size);
    double sum = 0;
    guarded(options.parallel_for, [&] {
        std::vector<float> factors(gradient.values.empty() ? 0 : channels * channels);
        for (std::size_t image = 0; image < shape.batch; ++image) {
            const std::span<const float> own = features.subspan(image * image_size, image_size);
            const float* target = target_gram.data() + image * channels * channels;
            std::vector<double> difference = gram_of(own, shape, means);
            for (std::size_t i = 0; i < difference.size(); ++i) {
                difference[i] -= double{target[i]};
                sum += difference[i] * difference[i];
            }
            if (gradient.values.empty()) continue;
            for (std::size_t i = 0; i < factors.size(); ++i) {
                const double mirrored = difference[i % channels * channels + i / channels];
                factors[i] = static_cast<float>(slope * (difference[i] + mirrored) / 2);
            }
            multiply(own, shape, factors, gradient.values.subspan(image * image_size, image_size),
                     gradient.adds, means);
        }
    });
    return scale * sum;
}

double total_variation(std::span<const float> picture, const PictureShape& shape, Variation variation,
                       float weight, const LossGradient& gradient, const LossOptions& options) {
    if (shape.size() == 0) throw Error(ErrorKind::usage, "picture: expected a shape without a zero");
    require_length("picture", shape.size(), picture.size());
    require_gradient(gradient, picture.size());
    require_apart(gradient, "picture", picture);
    const Means means(options);
    const kernels::TotalVariation problem = {
        .planes = shape.planes,
        .height = shape.height,
        .width = shape.width,
        .squared = variation == Variation::squared,
        .values = picture.data(),
        .factor = weight,
        .gradient = gradient.values.empty() ? nullptr : gradient.values.data(),
        .adds = gradient.adds};
    const kernels::LossKernels& kernel = *kernels::select(kernels::losses_kernels(), means.isa).run;
    double sum = 0;
    guarded(options.parallel_for, [&] {
        constexpr std::size_t part_rows = 16;
        sum = sum_in_parts(
            shape.planes * shape.height, part_rows, means.threads,
            [&](std::size_t begin, std::size_t end) { return kernel.total_variation(problem, begin, end); });
    });
    return double{weight} * sum;
}

}  // namespace vgg19
