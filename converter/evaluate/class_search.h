// Finds the class of a model that a folder's name means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/evaluate/class_order.h"

namespace vgg19::converter {

/// The class with that name; for ImageNet's classes also the class with that WordNet id, alone or before a
/// name ("n02085620-Chihuahua"), or with that ImageNet label. An exact match takes precedence; otherwise
/// names match as in is_same_class_name(). None if no class matches, or more than one.
std::optional<std::size_t> find_class_named(std::string_view name, const ModelClasses& model);

/// Throws Error (bad_input) for a name that lists of ImageNet labels give to two classes ("crane"), unless
/// `names` contains the other class's name as well ("crane bird").
void require_one_imagenet_class(const std::vector<std::string>& names);

}  // namespace vgg19::converter
