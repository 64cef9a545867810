// Prints plans as a table or JSON.
#pragma once

#include <string>

#include "engine/model/json.h"
#include "engine/program/plan.h"

namespace vgg19::tools {

/// Prints two tables: the choice of each convolution's algorithm, with costs relative to the chosen one's;
/// and what each step is expected to take. `origin` says where the machine's constants come from.
void print_plan(const Plan& plan, const std::string& origin);

/// {"isa", "machine": {"name", "origin", …}, "threads",
///  "convolutions": [{"layer", "algorithm", "estimates": [{"algorithm", "cost", "filter_bytes"}]}],
///  "expected": {"ms", "efficiency", "convolutions": {"ms", "efficiency"}, "dense_layers": {…},
///               "steps": [{"layer", "schedule", "tasks", "ms", "limit", "l2_bytes", …, "efficiency"}]}};
/// costs are in seconds, weighed by the memory that filters take.
model::Json plan_json(const Plan& plan, const std::string& origin);

}  // namespace vgg19::tools
