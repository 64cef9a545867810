// The planner's cost model: the expected cost of each convolution algorithm.
#pragma once

#include <vector>

#include "engine/layers/convolution.h"
#include "kernels/schedule/machine.h"

namespace vgg19::layers {

/// SessionOptions::convolution.
enum class ConvolutionChoice : unsigned char { automatic, winograd, direct, onednn };

/// Algorithms are compared by their expected time for one image on this many threads, whatever a session
/// uses. An algorithm's results differ from another's in their last bits, so the choice must depend neither
/// on threads nor on the batch. It does depend on the machine and the ISA.
inline constexpr int threads_of_comparison = 2;

/// An algorithm, and what it is expected to take, with the pool and the quantization that follow in steps of
/// their own.
struct ConvolutionEstimate {
    ConvolutionAlgorithm algorithm{};
    kernels::ExpectedTime time;      ///< for one image, on threads_of_comparison threads
    double convolution_seconds = 0;  ///< of that, without the following steps
    double weight_bytes = 0;         ///< packed
    /// What memory is worth: a plan raises it until its filters take no more than they may.
    double seconds_a_byte = 5e-12;
    double cost() const { return time.seconds + seconds_a_byte * weight_bytes; }
};

ConvolutionEstimate convolution_estimate(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                                         const Execution& execution);

/// All algorithms that `choice` allows, the cheapest first. Never empty.
std::vector<ConvolutionEstimate> convolution_estimates(const ConvolutionShape& shape,
                                                       const Execution& execution, ConvolutionChoice choice);

}  // namespace vgg19::layers
