#include "kernels/common/floating_point_mode.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/common/callers_threads.h"
#include "kernels/common/float16.h"
#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"

namespace vgg19::kernels {

#if defined(__x86_64__) || defined(__aarch64__)

namespace {

// Volatile, so that the compiler does not compute with its own mode.
bool reads_subnormals() {
    volatile float subnormal = 1e-40F;
    volatile float factor = 1e10F;
    return subnormal * factor != 0;
}
bool writes_subnormals() {
    volatile float small = 1e-30F;
    volatile float factor = 1e-10F;
    return small * factor != 0;
}
bool rounds_up() {
    volatile float one = 1.0F;
    volatile float little = 1e-10F;
    return one + little > 1;
}
bool has_subnormals() {
    CHECK(reads_subnormals() == writes_subnormals());
    return reads_subnormals();
}

/// How many of the threads of a loop have subnormal numbers.
int threads_with_subnormals(int threads) {
    std::atomic<int> arrived = 0;
    std::atomic<int> found = 0;
    parallel_for(threads, static_cast<std::size_t>(threads), [&](std::size_t) {
        ++arrived;
        while (arrived < threads) std::this_thread::yield();
        if (reads_subnormals()) ++found;
        if (writes_subnormals()) ++found;
    });
    return found / 2;
}

}  // namespace

TEST_CASE("subnormal numbers are zeros as long as a scope says so") {
    REQUIRE(has_subnormals());
    {
        const FlushSubnormals outer;
        CHECK(!has_subnormals());
        { const FlushSubnormals inner; }
        CHECK(!has_subnormals());
    }
    CHECK(has_subnormals());
    CHECK_THROWS([] {
        const FlushSubnormals scope;
        throw std::runtime_error("an error");
    }());
    CHECK(has_subnormals());
}

TEST_CASE("a scope rounds to nearest, and then the thread has its own rounding and flags again") {
    std::feclearexcept(FE_ALL_EXCEPT);
    std::feraiseexcept(FE_DIVBYZERO);
    std::fesetround(FE_UPWARD);
    {
        const FlushSubnormals scope;
        CHECK(!rounds_up());
        CHECK(std::fetestexcept(FE_INEXACT) != 0);
    }
    CHECK(std::fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
    CHECK(rounds_up());
    std::fesetround(FE_TONEAREST);
    std::feclearexcept(FE_ALL_EXCEPT);
}

TEST_CASE("subnormal halves are not zeros where subnormal floats are") {
    const FlushSubnormals scope;
    for (unsigned half = 1; half < 0x7C00; ++half) {
        const int exponent = static_cast<int>(half >> 10U);
        const int mantissa = static_cast<int>(half & 0x3FFU) + (exponent == 0 ? 0 : 1024);
        const double expected = std::ldexp(mantissa, std::max(exponent, 1) - 25);
        REQUIRE(double{float16_value(static_cast<std::uint16_t>(half))} == expected);
        REQUIRE(nearest_float16(static_cast<float>(expected)) == half);
    }
}

#ifdef _OPENMP
TEST_CASE("OpenMP's threads have their own mode again") {
    const auto count = [] {
        int found = 0;
#pragma omp parallel num_threads(3) reduction(+ : found)
        found += reads_subnormals() ? 1 : 0;
        return found;
    };
    REQUIRE(count() == 3);
    {
        const FlushSubnormals scope;
        const OpenMpThreads outer(3);
        CHECK(count() == 0);
        { const OpenMpThreads inner(3); }
        CHECK(count() == 0);
    }
    CHECK(count() == 3);
}
#endif

TEST_CASE("all threads of a loop have the caller's mode") {
    CHECK(threads_with_subnormals(3) == 3);
    {
        const FlushSubnormals scope;
        CHECK(threads_with_subnormals(3) == 0);
        CHECK(threads_with_subnormals(1) == 0);
        const OpenMpThreads openmp(3);
        CHECK(threads_with_subnormals(3) == 0);
    }
    CHECK(threads_with_subnormals(3) == 3);
    const OpenMpThreads openmp(3);
    CHECK(threads_with_subnormals(3) == 3);
}

TEST_CASE("a caller's threads have the loop's mode in tasks, and their own before and after") {
    std::atomic<int> wrong = 0;
    const ParallelFor function = [&](std::size_t count, const auto& call) {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([&, i] {
                if (!reads_subnormals()) ++wrong;
                call(i);
                if (!reads_subnormals() || !writes_subnormals()) ++wrong;
            });
        }
        if (!reads_subnormals()) ++wrong;  // the thread of the loop: its mode before the scope below
    };
    const CallersThreads callers(function);
    const FlushSubnormals scope;
    CHECK(threads_with_subnormals(3) == 0);
    CHECK(!has_subnormals());
    CHECK(wrong == 0);
}

#endif

}  // namespace vgg19::kernels
