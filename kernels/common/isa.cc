#include "kernels/common/isa.h"

#include <array>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace vgg19::kernels {

namespace {

constexpr std::array isas = {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512vnni};

#if defined(__x86_64__)
/// By CPUID itself: compilers differ on whether their run-time library knows it.
bool cpu_has_f16c() {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

}  // namespace

std::span<const Isa> all_isas() {
    return isas;
}

const char* isa_name(Isa isa) {
    switch (isa) {
        case Isa::scalar:
            return "scalar";
        case Isa::avx2:
            return "avx2";
        case Isa::avx512:
            return "avx512";
        case Isa::avx512vnni:
            return "avx512vnni";
    }
    return "unknown";
}

std::optional<Isa> isa_from_name(std::string_view name) {
    for (const Isa isa : isas) {
        if (name == isa_name(isa)) return isa;
    }
    return std::nullopt;
}

bool isa_is_built(Isa isa) {
#if defined(__x86_64__)
    static_cast<void>(isa);
    return true;
#else
    return isa == Isa::scalar;
#endif
}

bool cpu_supports(Isa isa) {
#if defined(__x86_64__)
    // The compiler's run-time library asks XCR0 too: a vector register that the operating system
    // does not save counts as absent.
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && cpu_has_f16c();
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    switch (isa) {
        case Isa::scalar:
            return true;
        case Isa::avx2:
            return avx2;
        case Isa::avx512:
            return avx512;
        case Isa::avx512vnni:
            return avx512 && __builtin_cpu_supports("avx512vnni");
    }
    return false;
#else
    return isa == Isa::scalar;
#endif
}

Isa best_isa() {
    Isa best = Isa::scalar;
    for (const Isa isa : isas) {
        if (isa_is_built(isa) && cpu_supports(isa)) best = isa;
    }
    return best;
}

}  // namespace vgg19::kernels
