// The pipeline's results, as JSON and as a page.
#pragma once

#include <string>

#include "engine/model/json.h"
#include "tools/pipeline/plan.h"
#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// The version of report.json's format; increased when a field is removed or changes its meaning.
inline constexpr int pipeline_schema_version = 1;

/// The bench's report with, for each variant, also
///   "accuracy"         {"size", "images", "top1", "top1_interval", "top3", …}, as `vgg19 eval --json` has it
///   "test_agreement"   {"same_top1", "mean_cosine", …} with the baseline on these images, or null
///   "file", "lineage"
/// and with "schema_version" (this one's), "bench_schema_version", "data" {"train", "test", "weights"},
/// "steps" [{"id", "command", "seconds"}] and "sensitivity" [{"layer", "points": [{"ratio",
/// "relative_l2"}]}]. Reads the files that the steps wrote. Throws Error (bad_input).
model::Json pipeline_report(const PipelineOptions& options, const PipelinePlan& plan, const StepLog& log);

/// Parses the table of `vgg19 prune --scan --csv` into curves: the relative L2 error of the logits by layer
/// and ratio. The header must name the columns layer, ratio and relative_l2; others are ignored. Throws Error
/// (bad_input) with `name` in the message.
model::Json read_sensitivity(std::string_view text, const std::string& name);

/// The report as a self-contained HTML page, without network access or scripts.
std::string pipeline_page(const model::Json& report);

}  // namespace vgg19::tools
