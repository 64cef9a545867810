// Names that models and data give to classes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vgg19 {

/// Equal but for the case of A to Z and for '_' and '-' in place of spaces.
bool is_same_class_name(std::string_view a, std::string_view b);

/// ImageNet's thousand in their order: lists of them agree in nine of ten. Ids of WordNet are names too.
bool are_imagenet_names(std::span<const std::string> names);

/// The first class whose names in two models say that it is not the same. None where they are the same, where
/// one of the models has no names, and for two lists of ImageNet's. Both have as many classes, or no names.
std::optional<std::size_t> first_other_class(std::span<const std::string> names,
                                             std::span<const std::string> others);

}  // namespace vgg19
