// A plan as people and programs read it.
#pragma once

#include "engine/model/json.h"
#include "engine/program/plan.h"

namespace vgg19::tools {

/// A table on standard output: a line a convolution, costs as multiples of the chosen way's.
void print_plan(const Plan& plan);

/// {"isa", "convolutions": [{"layer", "algorithm", "estimates": [{"algorithm", "cost", "filter_bytes"}]}]};
/// costs are in multiply-adds of whole vector registers.
model::Json plan_json(const Plan& plan);

}  // namespace vgg19::tools
