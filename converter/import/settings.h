// What the options of an import say about a model's input and pools.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "converter/import/import.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// What options can say: the range, and each number of the mean and the deviation, end at `largest_range`.
inline constexpr float largest_range = 65535;
inline constexpr float smallest_deviation = 1e-6F;
inline constexpr double smallest_batch_norm_epsilon = 1e-30;
inline constexpr double largest_batch_norm_epsilon = 1;

/// Applies the options for the input and the pools. Throws Error (usage) for a mean or
/// deviation beyond the range.
void apply_settings(const ImportOptions& options, model::Description& description);

/// The options for classes, classifier, pools and preprocessing as text: " --size 32".
std::string settings_text(const ImportOptions& options);

/// Says what was assumed about the input of a network that is not like torchvision's.
void note_preprocessing(const ImportOptions& options, const model::Network& network,
                        const Preprocessing& preprocessing, std::vector<std::string>& notes);

/// Sets what a known way of preprocessing prescribes, where the options do not say otherwise: "torchvision",
/// or "caffe", which Keras and the networks' authors use as well. Throws Error (usage) for another name.
void set_known_preprocessing(std::string_view name, ImportOptions& options);

}  // namespace vgg19::converter
