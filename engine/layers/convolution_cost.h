// The planner's cost model: what each way to compute a convolution is expected to take.
#pragma once

#include <span>
#include <vector>

#include "engine/layers/convolution.h"

namespace vgg19::layers {

/// SessionOptions::convolution.
enum class ConvolutionChoice : unsigned char { automatic, winograd, direct, onednn };

/// One way, and its cost for one image, in multiply-adds of whole vector registers, over all threads
/// together.
///
/// Products of matrices count as they are, over the share of the peak that their register tile reaches;
/// transforms by the values they make; and filters that are read from memory by the multiply-adds that could
/// be done meanwhile. Of arithmetic and memory traffic the longer one counts, with a tenth of the other. The
/// costs depend on the shape and the ISA alone, so that neither batch nor threads change a result.
struct ConvolutionEstimate {
    ConvolutionAlgorithm algorithm;
    double arithmetic;  ///< of products and transforms, and of a pool that becomes a step of its own
    double memory;      ///< of reading filters
    double weight_bytes;
    double cost() const;
};

/// All ways that `choice` allows, the cheapest first. Never empty.
std::vector<ConvolutionEstimate> convolution_estimates(const ConvolutionShape& shape,
                                                       const Execution& execution, ConvolutionChoice choice);

}  // namespace vgg19::layers
