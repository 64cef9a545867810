// What a layer reads in the original network, and in one whose earlier layers are quantised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/refit/patches.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// A convolution or dense layer: some of its inputs, few enough for a matrix of their products.
struct InputSlice {
    std::string output;  ///< the name of the output that is the layer's input (engine/model/output_names.h)
    Surroundings surroundings = Surroundings::none;  ///< 3×3 taps of a convolution
    std::size_t channels = 0;                        ///< all of the layer's; a dense layer's inputs
    std::size_t first = 0;                           ///< of the slice's channels
    std::size_t count = 0;                           ///< of channels
    float input_scale = 0;  ///< of a convolution's 8-bit input; 0 if it stays as it is

    std::size_t inputs() const { return count * row_taps(surroundings); }
};

/// Samples of a slice, from one batch of images.
struct InputSamples {
    std::vector<float> rows;         ///< [samples][inputs + 1], as the quantised network has them, and a 1
    std::vector<float> differences;  ///< [samples][inputs], of the original's from those
    std::vector<bool> held_out;      ///< [samples]
};

/// Reads the images, runs both networks up to the slice's layer, and calls visit() for each batch. Positions
/// of a map are chosen by `seed`, `samples` in all or as many as there are. The result does not depend on
/// the number of threads. Throws what DataSet::read throws.
void sample_inputs(const model::ModelFile& original, const model::ModelFile& quantized,
                   const CalibrationImages& images, const InputSlice& slice, std::size_t samples,
                   std::uint64_t seed, const std::function<void(const InputSamples&)>& visit);

}  // namespace vgg19::converter
