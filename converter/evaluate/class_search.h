// The class of a model that a folder's name means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/evaluate/class_order.h"

namespace vgg19::converter {

/// The class of that name among the model's; for ImageNet's classes also of that WordNet id, alone or before
/// a name ("n02085620-Chihuahua"), or of that ImageNet label. As is_same_class_name() says, where nothing is
/// equal and one class alone is the same. None where there is no such class, or more than one.
std::optional<std::size_t> find_class_named(std::string_view name, const ModelClasses& model);

/// Throws Error (bad_input) for a name that lists of ImageNet's labels give to two classes ("crane"), unless
/// `names` has the other one's as well ("crane bird").
void require_one_imagenet_class(const std::vector<std::string>& names);

}  // namespace vgg19::converter
