// The mean of the weights over the last steps of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/finetune/optimizer.h"

namespace vgg19::converter {

/// The mean of the trained parameters after each of a run's last steps (Polyak and Juditsky, "Acceleration of
/// stochastic approximation by averaging", 1992): the noise of single steps cancels out in it.
class WeightAverage {
  public:
    /// Averages the last `share` of `steps` steps, at least one; none if `share` is 0. `parameters` belong to
    /// a TrainingNetwork that must outlive this object.
    WeightAverage(std::span<const Parameter> parameters, double share, std::uint64_t steps, int threads);

    /// Takes the parameters after step `step`, counted from 1.
    void add(std::uint64_t step);
    /// Sets the parameters to the mean, if there is one.
    void apply() const;
    /// What a checkpoint after step `step` must hold: nothing before the first step that counts. Restoring it
    /// continues the mean.
    std::span<const OptimizerState> state_after(std::uint64_t step) const;

    /// The first step that counts, from 1; beyond all steps if none does.
    static std::uint64_t first_step(double share, std::uint64_t steps);

  private:
    std::span<const Parameter> parameters_;
    std::uint64_t first_step_;
    int threads_;
    std::vector<std::vector<float>> memory_;
    std::vector<OptimizerState> state_;
};

}  // namespace vgg19::converter
