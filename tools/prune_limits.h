// The options of vgg19 prune that say what the pruned network may cost.
#pragma once

#include <string>
#include <vector>

#include "converter/refit/target.h"
#include "engine/model/network.h"
#include "tools/command_line/command_line.h"

namespace vgg19::tools {

/// --target-macs, --target-ms, --target-mb, --cost-size and --cost-type.
void add_limit_options(CommandLine& line);

/// Whether the command line says what the network may cost.
bool has_limit(const CommandLine& line);

/// Throws Error (usage) for values out of range, and for options that need others.
void check_limits(const CommandLine& line);

/// The limits, which keep a copy of what they need. `input_size` is that of the calibration images.
std::vector<converter::CostLimit> cost_limits(const CommandLine& line, const model::Network& network,
                                              MapSize input_size);

/// A table of each limit's cost before and after pruning, on standard output.
void print_costs(const std::vector<converter::CostLimit>& limits, const model::Network& before,
                 const model::Network& after);

/// The options as given, for the lineage: "--target-macs 0.5".
std::string limits_text(const CommandLine& line);

}  // namespace vgg19::tools
