// Height and width of an image, or of a map of a layer.
#pragma once

#include <cstddef>
#include <string>

namespace vgg19 {

/// In pixels. One number alone means a square, as it does for `--size`.
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

/// "224" for a square, else "224x320" (height × width), as `--size` takes it.
std::string to_string(MapSize size);

}  // namespace vgg19
