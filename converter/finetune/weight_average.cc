#include "converter/finetune/weight_average.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/floating_point_mode.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

WeightAverage::WeightAverage(std::span<const Parameter> parameters, double share, std::uint64_t steps,
                             int threads)
    : parameters_(parameters), first_step_(first_step(share, steps)), threads_(threads) {
    if (share == 0) return;
    for (const Parameter& parameter : parameters_) {
        if (parameter.gradient.empty()) continue;
        memory_.emplace_back(parameter.values.size());
        state_.push_back({parameter.name, "average", memory_.back()});
    }
}

std::uint64_t WeightAverage::first_step(double share, std::uint64_t steps) {
    if (share == 0) return steps + 1;
    const auto counted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(steps)));
    return steps - std::min(std::max<std::uint64_t>(counted, 1), steps) + 1;
}

void WeightAverage::add(std::uint64_t step) {
    if (step < first_step_) return;
    const kernels::FlushSubnormals flush_subnormals;
    const float newest = 1.0F / static_cast<float>(step - first_step_ + 1);
    auto memory = state_.begin();
    for (const Parameter& parameter : parameters_) {
        if (parameter.gradient.empty()) continue;
        float* const average = (memory++)->values.data();
        constexpr std::size_t part_size = std::size_t{1} << 16U;
        const std::size_t size = parameter.values.size();
        const std::size_t parts = (size + part_size - 1) / part_size;
        kernels::parallel_for(threads_, parts, [&](std::size_t part) {
            const kernels::Range range = kernels::part_of(size, parts, part);
            const float* const values = parameter.values.data();
            for (std::size_t i = range.begin; i < range.end; ++i) {
                average[i] += (values[i] - average[i]) * newest;
            }
        });
    }
}

void WeightAverage::apply() const {
    auto memory = state_.begin();
    for (const Parameter& parameter : parameters_) {
        if (parameter.gradient.empty() || memory == state_.end()) continue;
        const std::span<const float> average = (memory++)->values;
        std::copy(average.begin(), average.end(), parameter.values.begin());
    }
}

std::span<const OptimizerState> WeightAverage::state_after(std::uint64_t step) const {
    return step < first_step_ ? std::span<const OptimizerState>() : state_;
}

}  // namespace vgg19::converter
