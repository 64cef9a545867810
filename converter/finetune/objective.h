// What training makes small: cross-entropy with labels, and the distance from a teacher's answers, in double
// precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vgg19::converter {

/// The weights of the terms. For an image with logits z, label y and the teacher's logits t:
///
///   label_weight · −ln softmax(z)[y] + teacher_weight · T² · Σ_c p[c] · (ln p[c] − ln softmax(z / T)[c]),
///   p = softmax(t / T)
///
/// (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015; T² keeps the gradient's
/// size when the temperature T changes.)
struct Objective {
    double label_weight = 1;
    double teacher_weight = 0;
    double temperature = 1;
    double feature_weight = 0;  ///< of the term for features (feature_match.h)
};

/// What a network's answers to a batch of images are compared with.
struct Targets {
    std::span<const std::size_t> labels;    ///< one for each image; empty: none, and no term for them
    std::span<const float> teacher_logits;  ///< (images, classes); empty: no teacher
    /// The outputs of the teacher's max-pools, each (images, channels, height, width); empty: not compared.
    std::span<const std::span<const float>> teacher_pools{};
};

/// The results of a batch before its gradients are applied.
struct BatchResult {
    double loss = 0;                    ///< the objective, summed over the images
    std::uint64_t top1 = 0;             ///< images where the label has the largest logit
    std::uint64_t same_as_teacher = 0;  ///< images where the teacher's largest logit is the largest here too

    BatchResult& operator+=(const BatchResult& other);
};

/// Replaces `values`, the logits (images, classes), by the gradients of scale · Σ_images objective. Labels
/// must be below `classes`. If the loss is not finite, the gradients are not either.
BatchResult apply_objective(const Objective& objective, std::span<float> values, std::size_t classes,
                            const Targets& targets, double scale);

}  // namespace vgg19::converter
