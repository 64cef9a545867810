// Prints the sensitivity scan as tables or a chart.
#pragma once

#include <string>
#include <vector>

#include "converter/refit/scan.h"

namespace vgg19::tools {

/// Two tables on standard output: the error of the logits, and the share of changed predictions.
void print_scan(const std::vector<converter::LayerScan>& layers);

/// The error over the ratio, one line per layer, as an SVG file.
std::string scan_picture(const std::vector<converter::LayerScan>& layers);

}  // namespace vgg19::tools
