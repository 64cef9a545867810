// Measures how much memory a test's action takes. Replaces the program's operators new and delete, so that it
// is included in one source of a test program, which then counts for all.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace vgg19::testing {

inline std::atomic<std::size_t> allocated_bytes = 0;
inline std::atomic<std::size_t> most_allocated_bytes = 0;
/// The allocation after so many others fails; negative: none does.
inline std::atomic<long> allocations_until_failure = -1;

/// The most bytes that were allocated at a time while `action` ran, beyond those before it.
template <class Action>
std::size_t peak_of(const Action& action) {
    const std::size_t before = allocated_bytes;
    most_allocated_bytes = before;
    action();
    return most_allocated_bytes - before;
}

/// Calls `action` once for each of its allocations, which then fails, until it runs through; `is_as_before`
/// is called after each. Returns the number of allocations that failed.
template <class Action>
long fail_each_allocation(const Action& action) {
    for (long number = 0;; ++number) {
        allocations_until_failure = number;
        try {
            action();
            const bool all = allocations_until_failure >= 0;
            allocations_until_failure = -1;
            if (all) return number;
        } catch (const std::bad_alloc&) {
            allocations_until_failure = -1;
        } catch (...) {
            allocations_until_failure = -1;
            throw;
        }
    }
}

inline void* allocate_and_count(std::size_t size) noexcept {
    if (allocations_until_failure >= 0 && allocations_until_failure-- == 0) return nullptr;
    // NOLINTNEXTLINE(*-no-malloc,*-owning-memory): this is the allocator
    void* const memory = std::malloc(std::max<std::size_t>(size, 1));
    if (memory == nullptr) return nullptr;
    const std::size_t now = allocated_bytes += malloc_usable_size(memory);
    std::size_t most = most_allocated_bytes;
    while (now > most && !most_allocated_bytes.compare_exchange_weak(most, now)) {
    }
    return memory;
}

inline void free_and_count(void* memory) noexcept {
    if (memory == nullptr) return;
    allocated_bytes -= malloc_usable_size(memory);
    std::free(memory);  // NOLINT(*-no-malloc,*-owning-memory)
}

}  // namespace vgg19::testing

void* operator new(std::size_t size) {
    void* const memory = vgg19::testing::allocate_and_count(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return vgg19::testing::allocate_and_count(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    vgg19::testing::free_and_count(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
    vgg19::testing::free_and_count(memory);
}
