// Passes a tile's sides as compile-time constants.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "kernels/winograd/winograd.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Calls body(rows, columns), where both are integral_constants, if the tile is one of `tiles`.
template <const auto& tiles, class Body>
inline __attribute__((always_inline)) void with_tile(WinogradTile tile, Body&& body) {
    const auto try_tile = [&](auto index) __attribute__((always_inline)) {
        constexpr WinogradTile candidate = tiles[index];
        if (candidate != tile) return;
        body(std::integral_constant<std::size_t, candidate.rows>{},
             std::integral_constant<std::size_t, candidate.columns>{});
    };
    [&]<std::size_t... index>(std::index_sequence<index...>) __attribute__((always_inline)) {
        (try_tile(std::integral_constant<std::size_t, index>{}), ...);
    }
    (std::make_index_sequence<std::size(tiles)>{});
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
