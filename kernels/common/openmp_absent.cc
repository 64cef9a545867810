// Replaces openmp.cc in a build without OpenMP.
#include "kernels/common/openmp.h"

namespace vgg19::kernels {

OpenMpThreads::OpenMpThreads(int threads) : previous_threads_(threads) {}
OpenMpThreads::~OpenMpThreads() = default;

bool sets_openmp_threads() {
    return false;
}

bool run_on_openmp(std::size_t /*threads*/, ParticipantFunction /*work*/, void* /*context*/) {
    return false;
}

std::vector<int> cpus_dealt_out_by_openmp() {
    return {};
}

}  // namespace vgg19::kernels
