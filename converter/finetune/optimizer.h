// Optimisers: update parameters from gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/finetune/training_network.h"

namespace vgg19::converter {

/// Adam's steps are absolute: after batch norm has been folded into weights of very different sizes, one rate
/// is too large for some and does nothing for others. relative_adam multiplies each step by the root mean
/// square of the weights that it changes, at least 1e-3 (the parameter scaling of Shazeer and Stern's
/// "Adafactor", 2018): of an output channel of a convolution, of the whole tensor elsewhere.
enum class OptimizerKind : unsigned char { adam, relative_adam, sgd };

/// Whether the optimiser keeps both moments of gradients.
constexpr bool is_adam(OptimizerKind kind) {
    return kind != OptimizerKind::sgd;
}

struct OptimizerOptions {
    OptimizerKind kind = OptimizerKind::adam;
    double weight_decay =
        0;               ///< L2: weight_decay × value is added to the gradient, as in PyTorch's optimisers
    double beta1 = 0.9;  ///< Adam
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double momentum = 0.9;  ///< SGD
    int threads = 0;        ///< 0 means as many as this process has CPUs
};

/// An optimiser's state for one parameter, such as "features.0.weight" and its first moment "exp_avg".
struct OptimizerState {
    std::string parameter;
    std::string name;  ///< torch's names: exp_avg, exp_avg_sq, momentum_buffer
    std::span<float> values;
};

/// PyTorch's Adam (Kingma and Ba, 2015), also with relative steps, and SGD with momentum; frozen parameters
/// do not change.
class Optimizer {
  public:
    /// `parameters` belong to a TrainingNetwork that must outlive this object.
    Optimizer(std::span<const Parameter> parameters, const OptimizerOptions& options);

    /// Does one step with the current gradients.
    void step(double learning_rate);

    /// The number of completed steps. Checkpoints store it together with state() and restore both.
    std::uint64_t steps() const { return steps_; }
    void set_steps(std::uint64_t steps) { steps_ = steps; }
    std::span<const OptimizerState> state() const { return state_; }

  private:
    void step_by_adam(const Parameter& parameter, double learning_rate, std::span<float> average,
                      std::span<float> square_average) const;
    void step_by_sgd(const Parameter& parameter, double learning_rate, std::span<float> momentum) const;

    std::span<const Parameter> parameters_;
    OptimizerOptions options_;
    std::uint64_t steps_ = 0;
    std::vector<std::vector<float>> memory_;
    std::vector<OptimizerState> state_;
};

}  // namespace vgg19::converter
