// A machine's constants from measured peaks.
#pragma once

#include "bench/peaks.h"
#include "kernels/isa/isa.h"
#include "kernels/schedule/machine.h"

namespace vgg19::tools {

/// `known` with what `peaks` measured on `threads` threads, for kernels of `isa`. What they do not have (dot
/// products without instructions for them, levels that this CPU lacks) stays as it is known. Limits of all
/// cores are those of these threads; the machine is meant for no more.
kernels::Machine machine_from_peaks(const kernels::Machine& known, kernels::Isa isa,
                                    const bench::Peaks& peaks, int threads);

/// Whether the threads had less than three quarters of a core each while L2 was read, which they do not
/// share: because of other programs, or because they are threads of one core.
bool threads_were_disturbed(const bench::Peaks& peaks, int threads);

}  // namespace vgg19::tools
