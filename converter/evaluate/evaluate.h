// Measures a model's accuracy, and its agreement with a reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/data/picture_scan.h"
#include "converter/evaluate/accuracy.h"
#include "converter/evaluate/label_map.h"
#include "engine/model/safetensors.h"
#include "vgg19/session.h"

namespace vgg19::converter {

/// The images to evaluate on. The data set must outlive this object.
struct EvaluationImages {
    const DataSet* data = nullptr;
    std::vector<std::size_t> items;
    LabelMap labels;
};

/// How many images of one class were predicted as a given class of the model.
struct PredictionCount {
    std::size_t data_class = 0;
    std::size_t predicted = 0;  ///< class of the model
    std::uint64_t images = 0;
};

/// Comparison of a model with the reference on the same images.
struct Agreement {
    Accuracy reference;
    std::uint64_t same_top1 = 0;
    /// McNemar's two counts: images that only one of the two predicts correctly.
    std::uint64_t only_model_right = 0;
    std::uint64_t only_reference_right = 0;
    double mean_cosine = 0;  ///< of the logits
    double smallest_cosine = 0;
    std::size_t smallest_cosine_item = 0;  ///< of the data set
};

struct Evaluation {
    Accuracy total;
    std::vector<Accuracy> classes;  ///< by class of the data set
    std::vector<PredictionCount>
        predictions;                     ///< only those that occurred, sorted by class, then by prediction
    std::optional<Agreement> agreement;  ///< only with a reference
    std::vector<BrokenPicture> broken;   ///< images that could not be read; they count nowhere else
};

/// Runs every item through `model` and, unless it is null, through `reference`, each at its own input size;
/// images are read ahead on another thread. The result does not depend on the number of threads or the batch
/// size. `progress` counts images. Throws Error (bad_input) if too_many_broken() images cannot be read, and
/// for logits that are not finite; (usage) for sessions with different batch sizes or numbers of classes.
Evaluation evaluate(Session& model, const EvaluationImages& images, Session* reference = nullptr,
                    const model::Progress& progress = {});

}  // namespace vgg19::converter
