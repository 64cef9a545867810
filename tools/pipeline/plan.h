// Which steps make, evaluate and time the variants.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// Numbers are as they stand on the command line, checked, and "" where a step's own default serves.
struct PipelineOptions {
    std::filesystem::path weights;
    std::filesystem::path data;  ///< to train and calibrate with
    std::filesystem::path test;  ///< to evaluate with
    std::filesystem::path folder;
    std::string label_map;
    std::string class_order;
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
    std::string rank;  ///< of factored variants; neither this nor energy: there are none
    std::string energy;
    std::string max_megapixels;
    bool exif = true;  ///< images are turned as it says
    bool refit = true;
    bool finetune = true;
    bool scan = true;
};

/// What is reported on.
struct PipelineVariant {
    std::string id;
    std::filesystem::path file;
    std::string size;  ///< of its input, "": the model's own
    std::filesystem::path evaluation;
};

struct PipelinePlan {
    std::vector<Step> steps;  ///< in an order in which they can run
    std::vector<PipelineVariant> variants;
    std::filesystem::path bench;
    std::optional<std::filesystem::path> sensitivity;
};

/// `weights_are_model`: they are used as the baseline where they are, through a link. Throws Error (usage)
/// for a variant that there is not.
PipelinePlan plan_pipeline(const PipelineOptions& options, bool weights_are_model);

}  // namespace vgg19::tools
