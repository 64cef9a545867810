// Compares the class names of models and data sets.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vgg19 {

/// Ignores the case of A to Z, and treats '_' and '-' as spaces.
bool is_same_class_name(std::string_view a, std::string_view b);

/// Whether the names are those of ImageNet's 1000 classes in order. Published lists differ in details, so
/// nine of ten must agree; WordNet ids count as names too.
bool are_imagenet_names(std::span<const std::string> names);

/// The first class whose names differ. None if all agree, if one of the lists is empty, and for two lists of
/// ImageNet names. Otherwise both lists have the same length.
std::optional<std::size_t> first_other_class(std::span<const std::string> names,
                                             std::span<const std::string> others);

}  // namespace vgg19
