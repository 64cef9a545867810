#include "kernels/common/cpu_of_thread.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace vgg19::kernels {

#ifdef __linux__
int current_cpu() {
    return sched_getcpu();
}

void leave_cpu(int cpu) {
    cpu_set_t allowed;
    // Where there are more CPUs than a cpu_set_t holds, this fails, and the thread stays.
    if (cpu < 0 || cpu != current_cpu() || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    cpu_set_t others = allowed;
    CPU_CLR(static_cast<unsigned>(cpu), &others);
    if (CPU_COUNT(&others) == 0) return;
    if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
}
#else
int current_cpu() {
    return -1;
}
void leave_cpu(int /*cpu*/) {}
#endif

}  // namespace vgg19::kernels
