// How alike the directions of two vectors are.
#pragma once

#include <span>

namespace vgg19::converter {

/// (x · y) / (|x| |y|), summed in double, of two vectors of equal length, neither of them empty. 0 where one
/// is all zeros, 1 where both are.
double cosine_of(std::span<const float> x, std::span<const float> y);

}  // namespace vgg19::converter
