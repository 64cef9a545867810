// Measures how much each layer's filters affect the logits.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/refit/moments.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// A single layer without some of its filters; all other layers are complete.
struct ScanPoint {
    double ratio = 0;         ///< share of removed filters
    std::size_t removed = 0;  ///< filters
    double relative_l2 = 0;   ///< ‖found − expected‖ / ‖expected‖ over the logits of all images
    double changed_top1 = 0;  ///< share of images with a different prediction
};

struct LayerScan {
    std::string layer;
    std::size_t place = 0;          ///< among prunable_layers()
    std::vector<ScanPoint> points;  ///< by ascending ratio, without those that would remove no or all filters
};

/// For each of prunable_layers() that has an order of removal. Removed channels are replaced by the best
/// linear combination of the kept ones (reconstruct_channels, or reconstruct_hidden without these images); a
/// refit of the next layer can only be better, and this needs no large systems of equations. The result does
/// not depend on the number of threads.
std::vector<LayerScan> scan(const model::ModelFile& model,
                            const std::vector<std::vector<std::size_t>>& orders,
                            const ChannelStatistics& statistics, const CalibrationImages& images,
                            const model::Progress& progress = {});

/// "layer,ratio,removed,relative_l2,changed_top1", then one line per point.
std::string scan_csv(const std::vector<LayerScan>& layers);

}  // namespace vgg19::converter
