// Chooses the bits of each INT8 layer, so that the packed model is small enough and its logits change least.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

struct LayerBits {
    std::string layer;
    int bits = 0;
    double error = 0;         ///< expected relative L2 error of the logits by this layer's rounding alone
    std::uint64_t bytes = 0;  ///< of its weights, entropy-coded
};

struct BitChoice {
    WeightBits bits;
    std::vector<LayerBits> layers;
    double error = 0;         ///< all layers': the root of the sum of their squares
    std::uint64_t bytes = 0;  ///< of the packed model, as far as its tensors go
};

/// Starts with the bits of `options`, and takes one from the layer in which that costs least error per byte,
/// until the model takes at most `bytes`; layers named in the options keep theirs. A layer's error is
/// measured at 3 and 5 bits, on at most 64 of the images, and taken to grow by the same factor from bit to
/// bit; sizes are huffman_bytes() of weights rounded to the nearest. Throws Error (usage) if 2 bits are not
/// few enough, with the least size, and what quantize_all() and calibrate() throw.
BitChoice choose_bits(const model::ModelFile& model, const std::vector<ConvolutionStatistics>& statistics,
                      const CalibrationImages& images, const FullOptions& options, std::uint64_t bytes,
                      const ImageProgress& progress = {});

}  // namespace vgg19::converter
