#include "vgg19/losses.h"

#include <cstddef>
#include <limits>
#include <string>

#include "engine/c_interface/options.h"
#include "engine/c_interface/status.h"

using vgg19::c_interface::guarded;
using vgg19::c_interface::number_of;
using vgg19::c_interface::options_from;
using vgg19::c_interface::require;

namespace {

vgg19::LossGradient gradient_from(const vgg19_loss_gradient* gradient, std::size_t count) {
    if (gradient == nullptr) return {};
    require(gradient->values, "gradient: values");
    return {.values = {gradient->values, count}, .adds = gradient->adds != 0};
}

/// Throws Error (usage) where so many floats are more than memory: then it is no array's length.
std::size_t checked_count(std::size_t count) {
    constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float);
    if (count <= most) return count;
    throw vgg19::Error(vgg19::ErrorKind::usage, "count: expected at most " + std::to_string(most) +
                                                    " values, found " + std::to_string(count));
}

/// The number of floats of a shape that a caller states.
std::size_t product(std::size_t a, std::size_t b, std::size_t c) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(a, b, &count) || __builtin_mul_overflow(count, c, &count) ||
        __builtin_mul_overflow(count, 2 * sizeof(float), &bytes)) {
        throw vgg19::Error(vgg19::ErrorKind::usage, "shape: expected fewer values than memory holds, found " +
                                                        std::to_string(a) + " x " + std::to_string(b) +
                                                        " x " + std::to_string(c));
    }
    return count;
}

vgg19::Variation variation_from(const vgg19_variation& variation) {
    switch (number_of(variation)) {
        case VGG19_VARIATION_ABSOLUTE:
            return vgg19::Variation::absolute;
        case VGG19_VARIATION_SQUARED:
            return vgg19::Variation::squared;
    }
    throw vgg19::Error(vgg19::ErrorKind::usage, "variation: expected a vgg19_variation, 0 or 1, found " +
                                                    std::to_string(number_of(variation)));
}

/// l1_loss or l2_loss.
template <class Loss>
vgg19_status loss_of_features(Loss compute, const float* features, const float* target, std::size_t count,
                              float weight, const vgg19_loss_gradient* gradient,
                              const vgg19_loss_options* options, double* loss) {
    return guarded([&] {
        require(features, "features");
        require(target, "target");
        require(loss, "loss");
        const std::size_t length = checked_count(count);
        *loss = compute({features, length}, {target, length}, weight, gradient_from(gradient, length),
                        options_from(options));
    });
}

}  // namespace

vgg19_status vgg19_l1_loss(const float* features, const float* target, size_t count, float weight,
                           const vgg19_loss_gradient* gradient, const vgg19_loss_options* options,
                           double* loss) {
    return loss_of_features(vgg19::l1_loss, features, target, count, weight, gradient, options, loss);
}

vgg19_status vgg19_l2_loss(const float* features, const float* target, size_t count, float weight,
                           const vgg19_loss_gradient* gradient, const vgg19_loss_options* options,
                           double* loss) {
    return loss_of_features(vgg19::l2_loss, features, target, count, weight, gradient, options, loss);
}

vgg19_status vgg19_gram_matrix(const float* features, size_t batch, size_t channels, size_t pixels,
                               float* gram, const vgg19_loss_options* options) {
    return guarded([&] {
        require(features, "features");
        require(gram, "gram");
        vgg19::gram_matrix({features, product(batch, channels, pixels)}, {batch, channels, pixels},
                           {gram, product(batch, channels, channels)}, options_from(options));
    });
}

vgg19_status vgg19_gram_loss(const float* features, size_t batch, size_t channels, size_t pixels,
                             const float* target_gram, float weight, const vgg19_loss_gradient* gradient,
                             const vgg19_loss_options* options, double* loss) {
    return guarded([&] {
        require(features, "features");
        require(target_gram, "target_gram");
        require(loss, "loss");
        const std::size_t count = product(batch, channels, pixels);
        *loss = vgg19::gram_loss({features, count}, {batch, channels, pixels},
                                 {target_gram, product(batch, channels, channels)}, weight,
                                 gradient_from(gradient, count), options_from(options));
    });
}

vgg19_status vgg19_total_variation(const float* picture, size_t planes, size_t height, size_t width,
                                   vgg19_variation variation, float weight,
                                   const vgg19_loss_gradient* gradient, const vgg19_loss_options* options,
                                   double* loss) {
    return guarded([&] {
        require(picture, "picture");
        require(loss, "loss");
        const std::size_t count = product(planes, height, width);
        *loss = vgg19::total_variation({picture, count}, {planes, height, width}, variation_from(variation),
                                       weight, gradient_from(gradient, count), options_from(options));
    });
}
