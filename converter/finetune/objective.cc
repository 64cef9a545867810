#include "converter/finetune/objective.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vgg19::converter {

namespace {

/// ln softmax(logits / temperature).
void log_softmax(std::span<const float> logits, double temperature, std::span<double> result) {
    const double most = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        result[i] = (logits[i] - most) / temperature;
        sum += std::exp(result[i]);
    }
    const double log_sum = std::log(sum);
    for (double& value : result) value -= log_sum;
}

std::size_t largest_of(std::span<const float> logits) {
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// The objective of one image after another, with memory for their logarithms.
class ImageObjective {
  public:
    ImageObjective(const Objective& objective, std::size_t classes)
        : objective_(objective), log_shares_(classes), teachers_log_shares_(classes), gradient_(classes) {}

    /// Returns the loss.
    double add_label(std::span<const float> logits, std::size_t label) {
        log_softmax(logits, 1, log_shares_);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            gradient_[i] += objective_.label_weight * (std::exp(log_shares_[i]) - (i == label ? 1.0 : 0.0));
        }
        return -objective_.label_weight * log_shares_[label];
    }

    /// Returns the loss.
    double add_teacher(std::span<const float> logits, std::span<const float> teacher) {
        const double temperature = objective_.temperature;
        log_softmax(logits, temperature, log_shares_);
        log_softmax(teacher, temperature, teachers_log_shares_);
        double divergence = 0;
        for (std::size_t i = 0; i < logits.size(); ++i) {
            const double share = std::exp(teachers_log_shares_[i]);
            // A share of zero, whose logarithm may be −∞ in the limit, adds nothing.
            if (share > 0) divergence += share * (teachers_log_shares_[i] - log_shares_[i]);
            gradient_[i] += objective_.teacher_weight * temperature * (std::exp(log_shares_[i]) - share);
        }
        // Rounding may leave a divergence of zero slightly below it.
        return objective_.teacher_weight * temperature * temperature * std::max(divergence, 0.0);
    }

    void take_gradient(double scale, std::span<float> result) {
        for (std::size_t i = 0; i < result.size(); ++i) {
            result[i] = static_cast<float>(scale * gradient_[i]);
            gradient_[i] = 0;
        }
    }

  private:
    const Objective& objective_;
    std::vector<double> log_shares_;
    std::vector<double> teachers_log_shares_;
    std::vector<double> gradient_;
};

}  // namespace

BatchResult& BatchResult::operator+=(const BatchResult& other) {
    loss += other.loss;
    top1 += other.top1;
    same_as_teacher += other.same_as_teacher;
    return *this;
}

BatchResult apply_objective(const Objective& objective, std::span<float> values, std::size_t classes,
                            const Targets& targets, double scale) {
    BatchResult result;
    ImageObjective image_objective(objective, classes);
    for (std::size_t image = 0; image < values.size() / classes; ++image) {
        const std::span<float> logits = values.subspan(image * classes, classes);
        const std::size_t prediction = largest_of(logits);
        if (!targets.labels.empty()) {
            const std::size_t label = targets.labels[image];
            if (prediction == label) ++result.top1;
            result.loss += image_objective.add_label(logits, label);
        }
        if (!targets.teacher_logits.empty()) {
            const auto teacher = targets.teacher_logits.subspan(image * classes, classes);
            if (prediction == largest_of(teacher)) ++result.same_as_teacher;
            result.loss += image_objective.add_teacher(logits, teacher);
        }
        image_objective.take_gradient(scale, logits);
    }
    return result;
}

}  // namespace vgg19::converter
