// The worker process of a measurement: a session that runs on command.
#pragma once

#include "bench/options.h"

namespace vgg19::bench {

/// Speaks this protocol on standard output and input, and returns at the end of input:
///
///   → ready PEAK_RSS_MIB TOP1 TOP2 TOP3        after two runs; the first image's most probable classes; of
///                                              other outputs, the channels of the last one with the largest
///                                              means; with --backward, where the gradient is largest
///   ← N                                        one line
///   → SECONDS SECONDS …                        the times of N runs of the batch, on one line
///   ← hash
///   → HASH                                     of the bits of the first image's outputs, or its gradient
///
/// Throws Error: bad_input for a bad model or input, usage for a line that is neither a number from 1 to
/// 1000000 nor "hash".
void run_worker(const Options& options);

}  // namespace vgg19::bench
