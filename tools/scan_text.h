// The sensitivity scan as people read it.
#pragma once

#include <string>
#include <vector>

#include "converter/refit/scan.h"

namespace vgg19::tools {

/// Two tables on standard output: the error of the logits, and the share of changed predictions.
void print_scan(const std::vector<converter::LayerScan>& layers);

/// The error against the ratio, a line a layer, as an SVG file.
std::string scan_picture(const std::vector<converter::LayerScan>& layers);

}  // namespace vgg19::tools
