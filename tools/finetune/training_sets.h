// The images of vgg19 finetune: to train on, held out, and to validate with.
#pragma once

#include <optional>

#include "converter/data/picture_scan.h"
#include "converter/finetune/finetune.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/data_sets.h"

namespace vgg19::tools {

/// Images, their classes, and a scan of their pictures.
struct LabelledData {
    NamedData named;
    converter::LabelMap labels;  ///< empty if labels are not used
    converter::PictureScan scan;

    converter::EvaluationImages images() const { return {named.data.get(), scan.items, labels}; }
};

struct TrainingSets {
    LabelledData training;                   ///< of --data
    std::optional<LabelledData> validation;  ///< of --validate
};

/// Opens the data and maps their classes, without looking at pictures. Also names the new head's classes, if
/// the data has names.
TrainingSets open_training_sets(const CommandLine& line, const model::ModelFile& model,
                                converter::FinetuneOptions& options);

/// Looks at all pictures; returns those to train on and those that decide whether the result is better:
/// held-out ones of --data, else those of --validate, if there are any. Throws Error (bad_input) for too many
/// unreadable pictures, and for pictures that are on both sides.
converter::TrainingImages scan_training_sets(const CommandLine& line, TrainingSets& sets,
                                             const converter::FinetuneOptions& options);

}  // namespace vgg19::tools
