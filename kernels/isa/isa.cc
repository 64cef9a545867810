#include "kernels/isa/isa.h"

#include <array>

#include "isa_lists.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace vgg19::kernels {

namespace {

struct IsaEntry {
    Isa isa = Isa::portable;
    const char* name = "";
    Capabilities needs{};
    std::size_t float_lanes = 0;
};

using enum Capability;

/// In the enumeration's order.
constexpr std::array entries = {
    IsaEntry{Isa::portable, "portable", {}, 8},
    IsaEntry{Isa::avx2, "avx2", {avx2}, 8},
    IsaEntry{Isa::avx2vnni, "avx2vnni", {avx2, avx_vnni}, 8},
    IsaEntry{Isa::avx512, "avx512", {avx2, avx512}, 16},
    IsaEntry{Isa::avx512vnni, "avx512vnni", {avx2, avx512, avx512_vnni}, 16},
    IsaEntry{Isa::neon, "neon", {neon}, 8},
    IsaEntry{Isa::neon_dotprod, "neon_dotprod", {neon, dot_product}, 8},
};

constexpr auto isas = [] {
    std::array<Isa, entries.size()> list{};
    for (std::size_t i = 0; i < entries.size(); ++i) list[i] = entries[i].isa;
    return list;
}();

const IsaEntry& entry_of(Isa isa) {
    return entries[static_cast<std::size_t>(isa)];
}

#if defined(__x86_64__)
/// Reads CPUID directly for names that not all compilers' run-time libraries know.
bool cpuid_bit(unsigned leaf, unsigned subleaf, unsigned bit, bool in_ecx) {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx) == 0) return false;
    return ((in_ecx ? ecx : eax) >> bit & 1U) != 0;
}

Capabilities detect() {
    constexpr unsigned f16c_bit = 29;     // leaf 1, ECX
    constexpr unsigned avx_vnni_bit = 4;  // leaf 7.1, EAX
    Capabilities found;
    // The compiler's run-time library also checks XCR0: registers that the operating system does not save
    // count as missing.
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !cpuid_bit(1, 0, f16c_bit, true)) {
        return found;
    }
    found.add(avx2);
    if (cpuid_bit(7, 1, avx_vnni_bit, false)) found.add(avx_vnni);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        found.add(avx512);
        if (__builtin_cpu_supports("avx512vnni")) found.add(avx512_vnni);
    }
    return found;
}
#elif defined(__aarch64__)
Capabilities detect() {
    Capabilities found = {neon};
#if defined(__linux__)
    if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) found.add(dot_product);
#endif
    return found;
}
#else
Capabilities detect() {
    return {};
}
#endif

}  // namespace

std::span<const Isa> all_isas() {
    return isas;
}

const char* isa_name(Isa isa) {
    return entry_of(isa).name;
}

std::optional<Isa> isa_from_name(std::string_view name) {
    for (const IsaEntry& entry : entries) {
        if (name == entry.name) return entry.isa;
    }
    return std::nullopt;
}

Capabilities needs(Isa isa) {
    return entry_of(isa).needs;
}

bool runs(Isa isa, Isa kernel_isa) {
    return needs(isa).include(needs(kernel_isa));
}

std::size_t float_lanes(Isa isa) {
    return entry_of(isa).float_lanes;
}

bool has_dot_product(Isa isa) {
    const Capabilities has = needs(isa);
    return has.include({avx_vnni}) || has.include({avx512_vnni}) || has.include({dot_product});
}

bool isa_is_built(Isa isa) {
    // What CMake has compiled: its name for the processor may be another than the compiler's.
#define VGG19_IS_BUILT(name, function, family) || isa == Isa::name
    return false VGG19_ALL_ISAS(VGG19_IS_BUILT, , );
#undef VGG19_IS_BUILT
}

bool cpu_supports(Isa isa) {
    static const Capabilities of_this_cpu = detect();
    return isa_is_built(isa) && of_this_cpu.include(needs(isa));
}

Isa best_isa() {
    Isa best = Isa::portable;
    for (const Isa isa : isas) {
        if (cpu_supports(isa)) best = isa;
    }
    return best;
}

}  // namespace vgg19::kernels
