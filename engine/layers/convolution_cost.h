// The planner's cost model: the expected cost of each convolution algorithm.
#pragma once

#include <span>
#include <vector>

#include "engine/layers/convolution.h"

namespace vgg19::layers {

/// SessionOptions::convolution.
enum class ConvolutionChoice : unsigned char { automatic, winograd, direct, onednn };

/// An algorithm, and its cost for one image in multiply-adds of whole vector registers, over all threads
/// together.
///
/// Matrix products count their multiply-adds, divided by the share of the peak that their register tile
/// reaches; transforms count by the number of values; reading filters from memory counts as the multiply-adds
/// that could be done in that time. Of arithmetic and memory traffic, the larger counts, plus a tenth of the
/// other. The cost depends only on the shape and the ISA, so that batch and threads do not change results.
struct ConvolutionEstimate {
    ConvolutionAlgorithm algorithm;
    double arithmetic;  ///< of products and transforms, and of a pool in a separate step
    double memory;      ///< of reading filters
    double weight_bytes;
    double cost() const;
};

/// All algorithms that `choice` allows, the cheapest first. Never empty.
std::vector<ConvolutionEstimate> convolution_estimates(const ConvolutionShape& shape,
                                                       const Execution& execution, ConvolutionChoice choice);

}  // namespace vgg19::layers
