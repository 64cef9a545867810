#include <omp.h>

#include "kernels/common/parallel.h"
#include "kernels/common/thread_limit.h"

namespace vgg19::kernels {

void detail::run_tasks(int threads, std::size_t tasks, Task task, void* context) {
    threads = ThreadLimit::apply(threads);
    if (threads <= 1 || tasks <= 1) {
        for (std::size_t index = 0; index < tasks; ++index) task(context, index);
        return;
    }
    // All threads, even where there are fewer tasks: libgomp ends the threads that a smaller team does not
    // need, and starts new ones for the next larger team.
#pragma omp parallel for num_threads(threads) schedule(static) default(none) shared(tasks, task, context)
    for (std::size_t index = 0; index < tasks; ++index) task(context, index);
}

int detail::cpus_dealt_out_to_threads() {
    return omp_get_proc_bind() == omp_proc_bind_false ? 0 : omp_get_num_procs();
}

LibraryThreads::LibraryThreads(int threads) : previous_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
}
LibraryThreads::~LibraryThreads() {
    omp_set_num_threads(previous_);
}

}  // namespace vgg19::kernels
