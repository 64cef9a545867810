// Loops with constant indices.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Calls body(constant 0), body(constant 1), …: the index can be a template argument.
template <std::size_t count, class Body>
inline __attribute__((always_inline)) void unrolled(Body&& body) {
    [&]<std::size_t... index>(std::index_sequence<index...>) __attribute__((always_inline)) {
        (body(std::integral_constant<std::size_t, index>{}), ...);
    }
    (std::make_index_sequence<count>{});
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
