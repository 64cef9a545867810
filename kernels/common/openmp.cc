#include "kernels/common/openmp.h"

#include <omp.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "kernels/common/floating_point_mode.h"
#include "kernels/common/startable_threads.h"

namespace vgg19::kernels {

namespace {

thread_local int threads_in_use = 0;  // of the OpenMpThreads on this thread

/// How many threads OpenMP keeps for this one, including it: those of the last team.
thread_local int threads_kept = 1;

/// libgomp ends the program when it cannot start a thread, so it is asked only for those that can be.
void check_startable(int threads) {
    const int more = threads - threads_kept;
    if (more <= 0) return;
    const int startable = startable_threads(more);
    if (startable >= more) return;
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            "the system allows " + std::to_string(threads_kept + startable) +
                                " threads, not " + std::to_string(threads));
}

/// Of one of OpenMP's threads, while it has another's.
thread_local FloatingPointMode own_mode = FloatingPointMode::current();

}  // namespace

OpenMpThreads::OpenMpThreads(int threads) : previous_threads_(omp_get_max_threads()), outer_(threads_in_use) {
    check_startable(threads);
    threads_in_use = threads;
    omp_set_num_threads(threads);
    if (outer_ == threads) return;
    threads_kept = threads;
    const FloatingPointMode mode = FloatingPointMode::current();
#pragma omp parallel num_threads(threads) default(none) shared(mode)
    {
        own_mode = FloatingPointMode::current();
        mode.apply();
    }
}

OpenMpThreads::~OpenMpThreads() {
    if (outer_ != threads_in_use) {
        const int threads = std::min(threads_in_use, threads_kept);  // those that have ended need nothing
#pragma omp parallel num_threads(threads) default(none)
        own_mode.apply();
    }
    threads_in_use = outer_;
    omp_set_num_threads(previous_threads_);
}

bool sets_openmp_threads() {
    return true;
}

bool run_on_openmp(std::size_t threads, ParticipantFunction work, void* context) {
    if (threads_in_use == 0) return false;
    check_startable(static_cast<int>(threads));
    threads_kept = static_cast<int>(threads);
    // All threads, even where there are fewer tasks: libgomp ends the threads that a smaller team does
    // not need, and starts new ones for the next larger team.
#pragma omp parallel num_threads(static_cast <int>(threads)) default(none) shared(work, context)
    work(context, static_cast<std::size_t>(omp_get_thread_num()));
    return true;
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
