// Prints evaluations as tables or JSON.
#pragma once

#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/evaluate/evaluate.h"
#include "engine/model/json.h"
#include "vgg19/session.h"

namespace vgg19::tools {

/// An evaluation, with the models and data that it belongs to.
struct EvaluationReport {
    struct Network {
        std::string path;
        MapSize size{};  ///< of its input
    };

    Network model;
    Network reference;  ///< only set with --reference
    std::string data_path;
    const converter::DataSet& data;
    std::string class_order;  ///< how classes were mapped to the model's
    converter::LabelMap labels;
    std::size_t model_classes = 0;
    std::vector<std::string> model_class_names{};  ///< empty if the model has no names of its own
    converter::Evaluation evaluation;
    bool per_class = false;  ///< also one line per class
    bool confusion = false;  ///< also print which classes were predicted for which
};

/// Tables on standard output.
void print_evaluation(const EvaluationReport& report);

/// Shares are fractions of 1, or null without images: {"model", "data", "size", "images", "top1", "top3",
/// "top5", "top1_interval": [low, high], "top3_interval", "top5_interval", "class_order", "left_out":
/// [{"kind", "files"}], "broken": [image], "classes": [{"name", "class", "synset", "label", "images", "top1",
/// …}], "confusion": [{"name", "predicted", "synset", "label", "images"}], "reference": {"model", "size",
/// "images", "top1", …, "same_top1", "same_top1_interval", "only_model_right", "only_reference_right",
/// "top1_drop", "top1_drop_interval", "top1_drop_upper_bound" (one-sided 95 %), "mean_cosine",
/// "smallest_cosine", "smallest_cosine_image"}}
model::Json evaluation_json(const EvaluationReport& report);

}  // namespace vgg19::tools
