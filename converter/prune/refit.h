// Weights of a pruned model that make up for what was removed, by least squares on calibration images.
//
// He, Zhang and Sun: Channel Pruning for Accelerating Very Deep Neural Networks (2017). Layers go from the
// first to the last; each one's target is its output, before the ReLU, in the unpruned network, and its
// regressors are the 3×3 surroundings of the channels that it still gets in the network as pruned and
// refitted so far: so that it also makes up for what the layers before it got wrong.
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
    std::size_t unknowns = 0;  ///< of one output
    std::size_t samples = 0;
    double ridge = 0;  ///< the one chosen (LeastSquares::solve); 0 where no refit was better than none
    /// The squared error that is left on images that were held out, as share of what pruning alone leaves: at
    /// most 1.
    double error = 1;
};

struct Refit {
    /// The weights and biases of all layers that change, in the unpruned model's shapes: zero for what the
    /// plan removes. For ModelFile::with, and then prune_model.
    TensorList tensors;
    std::vector<LayerRefit> layers;
};

struct RefitOptions {
    std::uint64_t seed = 1;  ///< of the positions that are sampled
};

/// Refits the convolutions behind the first that loses filters, and the first dense layer, which must be FP32
/// where it is concerned. Every eighth image is held out: it judges. The result is the same for every number
/// of threads. Throws Error (usage) for a model that is quantised, (bad_input) where the plan does not fit
/// the model and for an image that cannot be read, and (failed) for activations that are not finite.
Refit refit(const model::ModelFile& model, const PrunePlan& plan, const CalibrationImages& images,
            const RefitOptions& options = {}, const model::Progress& progress = {});

}  // namespace vgg19::converter
