// What each convolution's filters mean to the logits.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "converter/prune/least_squares.h"
#include "converter/quantize/calibration.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// A layer alone without some of its filters, all others whole.
struct ScanPoint {
    double ratio = 0;         ///< of the filters, that are gone
    std::size_t removed = 0;  ///< filters
    double relative_l2 = 0;   ///< ‖found − expected‖ / ‖expected‖ over the logits of all images
    double changed_top1 = 0;  ///< share of the images whose prediction is another
};

struct LayerScan {
    std::string layer;
    std::size_t convolution = 0;    ///< counted from 0
    std::vector<ScanPoint> points;  ///< ratios 0.1, 0.2 … 0.9; none that would leave no filter
};

/// For each convolution with an order of removal. What the removed filters gave is replaced by the best
/// linear combination of those that are left (reconstruct_channels): the refit of the next layer can do no
/// worse, and this takes no solution of large systems. The result is the same for every number of threads.
std::vector<LayerScan> scan(const model::ModelFile& model,
                            const std::vector<std::vector<std::size_t>>& orders,
                            const std::vector<LeastSquares>& moments, const CalibrationImages& images,
                            const model::Progress& progress = {});

/// "layer,ratio,removed,relative_l2,changed_top1" and a line a point.
std::string scan_csv(const std::vector<LayerScan>& layers);

}  // namespace vgg19::converter
