// The criteria that decide which filters to remove first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

enum class Criterion : unsigned char {
    l2,  ///< the smallest L2 norm over (input channel, row, column), as PyTorch's ln_structured(n=2, dim=0)
    l1,  ///< the smallest sum of absolute values
    activation,  ///< the least effect on the next layer if removed (least_loss_order)
    random,
};

/// "l2", …
const char* criterion_name(Criterion criterion);

/// Throws Error (usage) for an unknown name.
Criterion criterion_named(std::string_view name);

/// The order of removal of the filters of one of prunable_layers(), given its place among them, based on
/// calibration images: activation_order in converter/refit/least_loss.h.
using ActivationOrder = std::function<std::vector<std::size_t>(std::size_t layer)>;

/// All filters of one of prunable_layers(), in order of removal; equal ones by descending index.
/// `activation_order` is for Criterion::activation, `seed` for Criterion::random. Throws Error (bad_input)
/// for weights that are not finite.
std::vector<std::size_t> removal_order(const model::ModelFile& model, std::size_t layer, Criterion criterion,
                                       std::uint64_t seed, const ActivationOrder& activation_order);

}  // namespace vgg19::converter
