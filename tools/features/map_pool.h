// Turns a layer's map into one number for each channel.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vgg19::tools {

enum class MapPool : unsigned char {
    none,     ///< keep the map
    average,  ///< the mean of the pixels x
    /// (the mean of max(x, ε)^p)^(1/p) with ε = 1e-6: the "generalized mean" of Radenović, Tolias and Chum,
    /// Fine-tuning CNN Image Retrieval with No Human Annotation, 2018, equation 3. p = 1 is the average of
    /// what is positive, a large p nears the maximum.
    generalized_mean,
};

/// "none", "avg" or "gem". Throws Error (usage).
MapPool parse_map_pool(std::string_view text);

/// `map` is (pooled.size(), pixels), with at least one pixel. `pool` is not none; `power` is p, above 0.
void pool_map(MapPool pool, double power, std::span<const float> map, std::span<float> pooled);

}  // namespace vgg19::tools
