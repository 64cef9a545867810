// On which CPU threads run.
#pragma once

namespace vgg19::kernels {

/// The CPU on which the calling thread runs; -1 if unknown.
int current_cpu();

/// If the calling thread runs on this CPU and may run on another, it goes there now; afterwards it may run
/// where it might before. Linux lets a thread wait for a CPU that the thread which woke it keeps busy, even
/// where another CPU is idle.
void leave_cpu(int cpu);

}  // namespace vgg19::kernels
