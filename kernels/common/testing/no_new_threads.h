// For tests of what happens where the system refuses threads.
#pragma once

#include <doctest/doctest.h>
#include <pthread.h>

#include <cstddef>
#include <system_error>
#include <thread>

namespace vgg19::kernels {

/// While this object exists, the system refuses new threads: there is no room for their stacks.
class NoNewThreads {
  public:
    NoNewThreads() {
        pthread_attr_t attributes;
        REQUIRE(pthread_getattr_default_np(&attributes) == 0);
        REQUIRE(pthread_attr_getstacksize(&attributes, &stack_bytes_) == 0);
        REQUIRE(pthread_attr_destroy(&attributes) == 0);
        set_stack_bytes(std::size_t{1} << 56U);
    }
    ~NoNewThreads() { set_stack_bytes(stack_bytes_); }
    NoNewThreads(const NoNewThreads&) = delete;
    NoNewThreads& operator=(const NoNewThreads&) = delete;

  private:
    static void set_stack_bytes(std::size_t bytes) {
        pthread_attr_t attributes;
        CHECK(pthread_attr_init(&attributes) == 0);
        CHECK(pthread_attr_setstacksize(&attributes, bytes) == 0);
        CHECK(pthread_setattr_default_np(&attributes) == 0);
        CHECK(pthread_attr_destroy(&attributes) == 0);
    }

    std::size_t stack_bytes_ = 0;
};

/// Whether that works: some environments choose stacks by themselves.
inline bool threads_are_refused() {
    try {
        std::thread([] {}).join();
    } catch (const std::system_error&) {
        return true;
    }
    return false;
}

}  // namespace vgg19::kernels
