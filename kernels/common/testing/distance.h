// For tests: how far results differ from the expected ones.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>

namespace vgg19::kernels::testing {

/// ‖found − expected‖ / ‖expected‖
inline double relative_l2(std::span<const float> found, std::span<const float> expected) {
    if (found.size() != expected.size()) throw std::logic_error("relative_l2: sizes differ");
    double difference = 0;
    double norm = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(double{found[i]} - double{expected[i]}, 2);
        norm += std::pow(double{expected[i]}, 2);
    }
    if (norm == 0) throw std::logic_error("relative_l2: nothing but zeros is expected");
    return std::sqrt(difference / norm);
}

/// The cosine of the angle between two vectors: 1 if they differ only in length.
inline double cosine(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) throw std::logic_error("cosine: sizes differ");
    double product = 0;
    double a_squared = 0;
    double b_squared = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += double{a[i]} * double{b[i]};
        a_squared += double{a[i]} * double{a[i]};
        b_squared += double{b[i]} * double{b[i]};
    }
    return product / std::sqrt(a_squared * b_squared);
}

}  // namespace vgg19::kernels::testing
