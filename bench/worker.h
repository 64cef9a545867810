// The child's side of a measurement: one session that runs when it is told to.
#pragma once

#include "bench/options.h"

namespace vgg19::bench {

/// Speaks this protocol on standard output and input, then returns at the end of the input:
///
///     → ready PEAK_RSS_MIB TOP1 TOP2 TOP3        after two runs; the first image's most probable classes
///     ← N                                        a line
///     → SECONDS SECONDS …                        the times of N runs of the batch, on one line
///
/// Throws Error: bad_input for a bad model or input, usage for a line that is no number from 1 to 1000000.
void run_worker(const Options& options);

}  // namespace vgg19::bench
