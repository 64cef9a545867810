#include "engine/model/mapping_faults.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

namespace vgg19::model {

namespace {

/// Read by the signal's handler, so without locks. Free if `end` is 0.
struct Watched {
    std::atomic<std::uintptr_t> begin = 0;
    std::atomic<std::uintptr_t> end = 0;
    std::atomic<bool> has_faults = false;
};

constinit std::array<Watched, 256> all_watched{};
struct sigaction previous_action {};
std::uintptr_t page_bytes = 0;

Watched* watched_at(std::uintptr_t address) {
    for (Watched& watched : all_watched) {
        const std::uintptr_t end = watched.end.load(std::memory_order_acquire);
        if (address < end && address >= watched.begin.load(std::memory_order_relaxed)) return &watched;
    }
    return nullptr;
}

/// Only with functions that a signal's handler may call; mmap is one system call.
bool put_zeros(std::uintptr_t address) {
    Watched* const watched = watched_at(address);
    if (watched == nullptr) return false;
    const std::uintptr_t first = address / page_bytes * page_bytes;
    const std::size_t bytes = watched->end.load(std::memory_order_acquire) - first;
    auto* const target = reinterpret_cast<void*>(first);  // NOLINT(performance-no-int-to-ptr)
    if (mmap(target, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) ==
        MAP_FAILED) {
        return false;
    }
    watched->has_faults.store(true, std::memory_order_relaxed);
    return true;
}

void on_fault(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    const bool done = put_zeros(reinterpret_cast<std::uintptr_t>(info->si_addr));
    errno = saved;
    if (done) return;
    if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
        previous_action.sa_sigaction(signal, info, context);
        return;
    }
    if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
        return previous_action.sa_handler(signal);
    }
    sigaction(signal, &previous_action, nullptr);  // and the thread faults again
}

std::uintptr_t end_of(std::span<const std::byte> mapping) {
    return (reinterpret_cast<std::uintptr_t>(mapping.data()) + mapping.size() + page_bytes - 1) / page_bytes *
           page_bytes;
}

}  // namespace

void catch_faults_of_mappings() {
    static std::once_flag once;
    std::call_once(once, [] {
        page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
        struct sigaction action {};
        action.sa_sigaction = on_fault;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        sigaction(SIGBUS, &action, &previous_action);
    });
}

void watch_mapping(std::span<const std::byte> mapping) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (page_bytes == 0) return;  // nobody catches faults
    for (Watched& watched : all_watched) {
        if (watched.end.load(std::memory_order_relaxed) != 0) continue;
        watched.has_faults.store(false, std::memory_order_relaxed);
        watched.begin.store(reinterpret_cast<std::uintptr_t>(mapping.data()), std::memory_order_relaxed);
        watched.end.store(end_of(mapping), std::memory_order_release);
        return;
    }
}

void forget_mapping(std::span<const std::byte> mapping) {
    Watched* const watched = watched_at(reinterpret_cast<std::uintptr_t>(mapping.data()));
    if (watched != nullptr) watched->end.store(0, std::memory_order_release);
}

bool has_faults(std::span<const std::byte> mapping) {
    const Watched* const watched = watched_at(reinterpret_cast<std::uintptr_t>(mapping.data()));
    return watched != nullptr && watched->has_faults.load(std::memory_order_relaxed);
}

}  // namespace vgg19::model
