// The threads of parallel loops, shared by all callers in the process.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// Calls work(context, participant) on this thread with participant 0, and at the same time with other
/// numbers below `threads` on as many threads of the pool as are free, each number once at most. Returns when
/// this call and all others that have begun are done; so `work` shares out tasks until none is left, and the
/// result does not depend on who came. All run in this thread's floating-point mode. `work` must not throw,
/// fork or exit.
///
/// Threads of the pool are named "vgg19 worker". They are started when first needed, with signals blocked
/// and the CPU affinity of the thread that calls, at most as many as there are CPUs, or as one call asks for,
/// less one; where the system refuses, fewer take part, and it is asked again a second later. They end when
/// the program does, or when the library is unloaded. After fork() the child starts its own. Idle ones sleep
/// after 0.1 ms at most. One that wakes on the CPU of the thread that calls goes to another. Thread-safe;
/// `work` may call it too. Allocates nothing except to start a thread.
using ParticipantFunction = void (*)(void* context, std::size_t participant);
void run_on_pool(std::size_t threads, ParticipantFunction work, void* context);

/// The most threads that take part in one call.
inline constexpr std::size_t most_participants = 1024;

}  // namespace vgg19::kernels
