// What we share with libraries whose loops run on OpenMP's threads (oneDNN). Our own loops do not.
#pragma once

#include <vector>

#include "kernels/common/floating_point_mode.h"

namespace vgg19::kernels {

/// While this object exists, OpenMP's loops that start on this thread have this number of threads, in this
/// thread's floating-point mode. Then all have what they had. Does nothing in a build without OpenMP.
class OpenMpThreads {
  public:
    explicit OpenMpThreads(int threads);
    ~OpenMpThreads();
    OpenMpThreads(const OpenMpThreads&) = delete;
    OpenMpThreads& operator=(const OpenMpThreads&) = delete;

  private:
    [[maybe_unused]] int previous_threads_;
};

/// The CPUs that OpenMP deals out to its threads if it binds each to some of them (OMP_PROC_BIND): then the
/// affinity mask of a thread says nothing about the process. Else none.
std::vector<int> cpus_dealt_out_by_openmp();

}  // namespace vgg19::kernels
