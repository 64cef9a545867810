#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {
namespace {

/// The position of a tile: the image, and its first output row and column.
struct TilePlace {
    std::size_t image;
    std::size_t row;
    std::size_t column;

    TilePlace(const WinogradInt8& problem, std::size_t tile)
        : image(tile / (problem.tile_rows() * problem.tile_columns())),
          row(tile / problem.tile_columns() % problem.tile_rows() * problem.tile_side()),
          column(tile % problem.tile_columns() * problem.tile_side()) {}

    /// Moves to the next tile.
    void advance(const WinogradInt8& problem) {
        column += problem.tile_side();
        if (column < problem.width) return;
        column = 0;
        row += problem.tile_side();
        if (row < problem.height) return;
        row = 0;
        ++image;
    }
};

/// Calls body(place of the first tile, number of tiles) for each part of a row of tiles in the range.
template <class Body>
inline __attribute__((always_inline)) void for_each_row_of_tiles(const WinogradInt8& problem, TileRange tiles,
                                                                 const Body& body) {
    for (std::size_t tile = tiles.begin; tile < tiles.end;) {
        const TilePlace place(problem, tile);
        const std::size_t count =
            std::min(tiles.end - tile, problem.tile_columns() - place.column / problem.tile_side());
        body(place, count);
        tile += count;
    }
}

}  // namespace
}  // namespace vgg19::kernels
