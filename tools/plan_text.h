// Prints plans as a table or JSON.
#pragma once

#include "engine/model/json.h"
#include "engine/program/plan.h"

namespace vgg19::tools {

/// Prints a table: one line per convolution, with costs relative to the chosen algorithm's.
void print_plan(const Plan& plan);

/// {"isa", "convolutions": [{"layer", "algorithm", "estimates": [{"algorithm", "cost", "filter_bytes"}]}]};
/// costs are in seconds, weighed by the memory that filters take.
model::Json plan_json(const Plan& plan);

}  // namespace vgg19::tools
