// OpenMP's threads, on which oneDNN runs its loops. Ours run there too where both take turns, since OpenMP's
// threads go on watching for work, for milliseconds, and would keep CPUs from our own.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/common/thread_pool.h"

namespace vgg19::kernels {

/// While this object exists, loops that start on this thread, OpenMP's and ours, run on this number of
/// OpenMP's threads, in this thread's floating-point mode as it is now. Afterwards all have their own mode
/// again. Nothing changes in a build without OpenMP.
class OpenMpThreads {
  public:
    /// Throws std::system_error if the system refuses so many threads: libgomp would end the program.
    explicit OpenMpThreads(int threads);
    ~OpenMpThreads();  // NOLINT(performance-trivially-destructible): empty only without OpenMP
    OpenMpThreads(const OpenMpThreads&) = delete;
    OpenMpThreads& operator=(const OpenMpThreads&) = delete;

  private:
    [[maybe_unused]] int previous_threads_;
    [[maybe_unused]] int outer_ = 0;  ///< threads of an OpenMpThreads that exists already, else 0
};

/// Whether OpenMpThreads sets the number of threads: false in a build without OpenMP.
bool sets_openmp_threads();

/// run_on_pool on OpenMP's threads. False, and nothing has run, if this thread has no OpenMpThreads. Throws
/// as its constructor does.
bool run_on_openmp(std::size_t threads, ParticipantFunction work, void* context);

/// The CPUs that OpenMP deals out to its threads, if it binds each to some of them (OMP_PROC_BIND): then a
/// thread's affinity mask says nothing about the process. Else none.
std::vector<int> cpus_dealt_out_by_openmp();

}  // namespace vgg19::kernels
