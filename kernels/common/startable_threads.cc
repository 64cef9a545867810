#include "kernels/common/startable_threads.h"

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <vector>

namespace vgg19::kernels {

namespace {

void* wait_for_end(void* all_started) {
    static_cast<const std::atomic<bool>*>(all_started)->wait(false);
    return nullptr;
}

}  // namespace

int startable_threads(int threads) {
    std::atomic<bool> all_started = false;
    std::vector<pthread_t> started;
    started.reserve(static_cast<std::size_t>(threads));
    sigset_t all;
    sigset_t previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    for (int i = 0; i < threads; ++i) {
        pthread_t thread{};
        if (pthread_create(&thread, nullptr, wait_for_end, &all_started) != 0) break;
        started.push_back(thread);
    }
    pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    all_started = true;
    all_started.notify_all();
    for (const pthread_t thread : started) pthread_join(thread, nullptr);
    return static_cast<int>(started.size());
}

}  // namespace vgg19::kernels
