// For tests: the values that testdata/make.py writes.
#pragma once

#include <cmath>
#include <cstddef>
#include <string_view>

namespace vgg19::converter::testing {

/// Element `index` of the tensor with that name.
inline double fixture_value(std::string_view tensor, std::size_t index) {
    std::size_t sum = 0;
    for (const char character : tensor) sum += static_cast<unsigned char>(character);
    const double plain = (static_cast<double>((7 * index + sum) % 61) - 30) / 32;
    return tensor.ends_with("running_var") ? std::abs(plain) + 0.5 : plain;
}

}  // namespace vgg19::converter::testing
