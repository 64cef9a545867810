// Adjusts a pruned model's weights to compensate for removed filters, by least squares on calibration images.
//
// He, Zhang and Sun: Channel Pruning for Accelerating Very Deep Neural Networks (2017). Layers are refitted
// from first to last. The target is a layer's output before the ReLU in the unpruned network; the regressors
// are the 3×3 surroundings of its remaining input channels in the network as pruned and refitted so far. So
// each layer also compensates for errors of the layers before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "converter/prune/prune.h"
#include "converter/prune/tensor_list.h"
#include "converter/quantize/calibration.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

struct LayerRefit {
    std::string layer;
    std::size_t unknowns = 0;  ///< per output
    std::size_t samples = 0;
    double ridge = 0;  ///< the ridge that was chosen (LeastSquares::solve); 0 if no refit was an improvement
    /// The squared error on held-out images, relative to pruning alone: at most 1.
    double error = 1;
};

struct Refit {
    /// The weights and biases of all changed layers, in the unpruned model's shapes, with zeros for removed
    /// channels. Pass them to ModelFile::with, then to prune_model.
    TensorList tensors;
    std::vector<LayerRefit> layers;
};

struct RefitOptions {
    std::uint64_t seed = 1;  ///< for sampling positions
};

/// Refits all convolutions after the first one that loses filters, the first dense layer, which must be FP32
/// if it is affected, and each dense layer whose inputs the plan removes. Every eighth image is held out to
/// choose the best solution. The result does not depend on the number of threads. Throws Error (usage) for a
/// quantised model, (bad_input) if the plan does not fit the model or an image cannot be read, and (failed)
/// for activations that are not finite.
Refit refit(const model::ModelFile& model, const PrunePlan& plan, const CalibrationImages& images,
            const RefitOptions& options = {}, const model::Progress& progress = {});

}  // namespace vgg19::converter
