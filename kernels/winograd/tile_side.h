// Passes a tile's side as a compile-time constant.
#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/winograd/winograd.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Calls body(m), where m is an integral_constant.
template <class Body>
inline __attribute__((always_inline)) void with_tile_side(WinogradTile tile, Body&& body) {
    switch (tile) {
        case WinogradTile::f2:
            return body(std::integral_constant<std::size_t, 2>{});
        case WinogradTile::f4:
            return body(std::integral_constant<std::size_t, 4>{});
        case WinogradTile::f5:
            return body(std::integral_constant<std::size_t, 5>{});
        case WinogradTile::f6:
            return body(std::integral_constant<std::size_t, 6>{});
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
