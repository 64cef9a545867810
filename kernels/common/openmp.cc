#include "kernels/common/openmp.h"

#include <omp.h>

namespace vgg19::kernels {

OpenMpThreads::OpenMpThreads(int threads) : previous_threads_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
}
OpenMpThreads::~OpenMpThreads() {
    omp_set_num_threads(previous_threads_);
}

std::vector<int> cpus_dealt_out_by_openmp() {
    std::vector<int> cpus;
    if (omp_get_proc_bind() == omp_proc_bind_false) return cpus;
    for (int place = 0; place < omp_get_num_places(); ++place) {
        std::vector<int> of_place(static_cast<std::size_t>(omp_get_place_num_procs(place)));
        omp_get_place_proc_ids(place, of_place.data());
        cpus.insert(cpus.end(), of_place.begin(), of_place.end());
    }
    return cpus;
}

}  // namespace vgg19::kernels
