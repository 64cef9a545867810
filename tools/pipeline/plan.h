// The steps that make, evaluate and time the variants.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/pipeline/step_words.h"
#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// Numbers are checked texts from the command line; "" means the step's own default.
struct PipelineOptions {
    std::filesystem::path weights;
    std::filesystem::path data;  ///< for training and calibration
    std::filesystem::path test;  ///< for evaluation
    std::filesystem::path folder;
    DataOptions reading;
    std::vector<std::string> variants;  ///< empty: all
    std::string size;                   ///< of images in training, calibration and evaluation
    std::string bench_size;             ///< "": the same
    std::string ratio;
    std::string target_macs;
    std::string criterion;
    std::string round_to;
    std::string subset;
    std::string epochs;
    std::string batch;
    std::string learning_rate;
    std::string keep;
    std::string seed;
    std::string calibration_images;
    std::string test_images;
    std::string threads;
    std::string min_time;
    std::string rank;  ///< ranks of factored variants; without rank and energy there are none
    std::string energy;
    bool refit = true;
    bool finetune = true;
    bool scan = true;
};

/// A variant in the report.
struct PipelineVariant {
    std::string id;
    std::filesystem::path file;
    std::string size;  ///< of its input; "" means the model's own
    std::filesystem::path evaluation;
};

struct PipelinePlan {
    std::vector<Step> steps;  ///< in execution order
    std::vector<PipelineVariant> variants;
    std::filesystem::path bench;
    std::optional<std::filesystem::path> sensitivity;
};

/// `weights_are_model`: use the weights as the baseline in place, through a link. Throws Error (usage) for an
/// unknown variant.
PipelinePlan plan_pipeline(const PipelineOptions& options, bool weights_are_model);

}  // namespace vgg19::tools
