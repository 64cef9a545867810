#include "kernels/common/floating_point_mode.h"

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

namespace vgg19::kernels {

namespace {

#if defined(__x86_64__)
// The lowest six bits of MXCSR are flags.
constexpr std::uint64_t mode_bits = 0xFFC0;
constexpr std::uint64_t all_exceptions_masked = 0x1F80;
constexpr std::uint64_t subnormals_are_zeros = 0x0040;  // when read
constexpr std::uint64_t subnormal_results_are_zeros = 0x8000;
constexpr std::uint64_t flushing = all_exceptions_masked | subnormals_are_zeros | subnormal_results_are_zeros;

std::uint64_t read_bits() {
    return _mm_getcsr();
}
void write_bits(std::uint64_t bits) {
    _mm_setcsr(static_cast<unsigned>(bits));
}
#elif defined(__aarch64__)
// FPCR below, FPSR (the flags) above. FPCR's other bits are zero: round to nearest, no traps.
constexpr std::uint64_t mode_bits = 0xFFFFFFFF;
constexpr std::uint64_t flushing = std::uint64_t{1} << 24U;

std::uint64_t read_bits() {
    std::uint64_t mode = 0;
    std::uint64_t flags = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("mrs %0, fpsr" : "=r"(flags));
    return flags << 32U | (mode & mode_bits);
}
void write_bits(std::uint64_t bits) {
    __asm__ volatile("msr fpcr, %0" : : "r"(bits & mode_bits) : "memory");
    __asm__ volatile("msr fpsr, %0" : : "r"(bits >> 32U) : "memory");
}
#else
constexpr std::uint64_t mode_bits = 0;
constexpr std::uint64_t flushing = 0;

std::uint64_t read_bits() {
    return 0;
}
void write_bits(std::uint64_t /*bits*/) {}
#endif

}  // namespace

FloatingPointMode FloatingPointMode::current() {
    return FloatingPointMode(read_bits());
}

FloatingPointMode FloatingPointMode::flushing_subnormals() {
    return FloatingPointMode(flushing);
}

void FloatingPointMode::apply() const {
    if (((read_bits() ^ bits_) & mode_bits) != 0) write_bits(bits_);
}

}  // namespace vgg19::kernels
