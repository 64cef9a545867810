// Height and width of an image, or of a layer's map.
#pragma once

#include <cstddef>
#include <string>

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

/// In pixels. A single number means a square, as in `--size`.
struct MapSize {
    constexpr MapSize() = default;
    constexpr MapSize(std::size_t side) : height(side), width(side) {}  // NOLINT(*-explicit-*)
    constexpr MapSize(std::size_t rows, std::size_t columns) : height(rows), width(columns) {}

    std::size_t height = 0;
    std::size_t width = 0;

    constexpr std::size_t pixels() const { return height * width; }
    /// After a 2×2 pool of stride 2: the last row and column of an odd size are dropped.
    constexpr MapSize halved() const { return {height / 2, width / 2}; }
    constexpr bool empty() const { return pixels() == 0; }

    friend constexpr bool operator==(MapSize, MapSize) = default;
};

/// "224" for a square, else "224x320" (height × width), as in `--size`.
std::string to_string(MapSize size);

}  // namespace vgg19

#pragma GCC visibility pop
