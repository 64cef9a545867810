// Full-size weights without a download: torchvision's initialisation of VGG with a fixed seed. Speed does not
// depend on the values, so they suit all measurements except predictions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Increased if the same seed gives other values, or the file another description.
inline constexpr int seeded_weights_version = 2;

/// Fills `values` with independent normal values of mean 0. Value i depends only on `seed`, `stream` and i,
/// so the result is the same for every number of threads. It is also the same on every machine, because it
/// uses only IEEE 754's exact operations (+ − × ÷ √) and no library function. The normal quantile is
/// Wichura's algorithm AS 241 (PPND7, 1988; relative error up to 1.2 · 10^-7).
void fill_normal(std::span<float> values, float deviation, std::uint64_t seed, std::uint64_t stream,
                 int threads);

/// The deviation of a layer's initial weights: √(2 / (9 · output channels)) for a convolution, 0.01 for a
/// dense layer. Biases start at 0.
float initial_deviation(const model::ConvolutionLayer& layer);
float initial_deviation(const model::DenseLayer& layer);

/// The description that write_seeded_model() stores in the file.
model::Description seeded_description(const model::Network& network);

/// Whether a model's weights were made by write_seeded_model().
bool is_seeded(const model::Description& description);

/// Writes a model of variant "baseline" with input-major dense weights, crash-safely. Needs memory for all
/// weights.
void write_seeded_model(const std::filesystem::path& path, const model::Network& network, int threads,
                        const model::Progress& progress = {});

}  // namespace vgg19::converter
