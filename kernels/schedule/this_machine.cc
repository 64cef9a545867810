// Which microarchitecture of the table this CPU has.
#include <array>
#include <string>
#include <string_view>

#include "kernels/common/cache_sizes.h"
#include "kernels/schedule/machine.h"

#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <fstream>
#endif

namespace vgg19::kernels {

namespace {

/// The models of one microarchitecture: [first, last] of a family.
struct Models {
    unsigned family;
    unsigned first;
    unsigned last;
    std::string_view name;
};

constexpr std::array amd_models = {
    Models{0x17, 0x00, 0xff, "avx2"},  // Zen and Zen 2
    Models{0x19, 0x10, 0x1f, "zen4"},        Models{0x19, 0x60, 0x7f, "zen4"},
    Models{0x19, 0xa0, 0xaf, "zen4"},        Models{0x19, 0x00, 0xff, "avx2"},  // Zen 3
    Models{0x1a, 0x20, 0x3f, "zen5_mobile"}, Models{0x1a, 0x60, 0x6f, "zen5_mobile"},
    Models{0x1a, 0x00, 0xff, "zen5"},
};

constexpr std::array intel_models = {
    Models{6, 0x55, 0x55, "skylake_server"},     Models{6, 0x6a, 0x6a, "ice_lake"},
    Models{6, 0x6c, 0x6c, "ice_lake"},           Models{6, 0x7d, 0x7e, "ice_lake"},
    Models{6, 0x8c, 0x8d, "ice_lake"},           Models{6, 0xa7, 0xa7, "ice_lake"},
    Models{6, 0x8f, 0x8f, "golden_cove"},        Models{6, 0xcf, 0xcf, "golden_cove"},
    Models{6, 0xad, 0xae, "golden_cove"},        Models{6, 0x97, 0x97, "golden_cove_client"},
    Models{6, 0x9a, 0x9a, "golden_cove_client"}, Models{6, 0xb7, 0xb7, "golden_cove_client"},
    Models{6, 0xba, 0xba, "golden_cove_client"}, Models{6, 0xbf, 0xbf, "golden_cove_client"},
    Models{6, 0xaa, 0xaa, "golden_cove_client"}, Models{6, 0xac, 0xac, "golden_cove_client"},
};

std::string_view name_in(std::span<const Models> list, unsigned family, unsigned model) {
    for (const Models& models : list) {
        if (models.family == family && models.first <= model && model <= models.last) return models.name;
    }
    return {};
}

#if defined(__x86_64__)
struct Cpuid {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
};

/// Zeros if this CPU lacks the leaf.
Cpuid cpuid(unsigned leaf) {
    Cpuid result;
    if (__get_cpuid(leaf, &result.eax, &result.ebx, &result.ecx, &result.edx) == 0) return {};
    return result;
}

/// The characters in registers, up to the first zero.
std::string text_of(std::initializer_list<unsigned> registers) {
    std::string text;
    for (const unsigned value : registers) {
        for (unsigned shift = 0; shift < 32; shift += 8) text += static_cast<char>(value >> shift & 0xffU);
    }
    return text.substr(0, text.find('\0'));
}

struct X86Model {
    std::string vendor;
    unsigned family = 0;
    unsigned model = 0;
    unsigned stepping = 0;
    std::string name;
};

X86Model this_model() {
    const Cpuid first = cpuid(0);
    const unsigned signature = cpuid(1).eax;
    const unsigned family = signature >> 8U & 0xfU;
    X86Model result = {.vendor = text_of({first.ebx, first.edx, first.ecx}),
                       .family = family == 0xf ? family + (signature >> 20U & 0xffU) : family,
                       .model = (signature >> 4U & 0xfU) | (signature >> 16U & 0xfU) << 4U,
                       .stepping = signature & 0xfU};
    constexpr unsigned first_of_name = 0x80000002U;
    for (unsigned leaf = first_of_name; leaf < first_of_name + 3; ++leaf) {
        const Cpuid part = cpuid(leaf);
        result.name += text_of({part.eax, part.ebx, part.ecx, part.edx});
    }
    const std::size_t begin = result.name.find_first_not_of(' ');
    if (begin == std::string::npos) return result;
    result.name = result.name.substr(begin, result.name.find_last_not_of(' ') + 1 - begin);
    return result;
}

std::string_view microarchitecture_of_this_cpu() {
    const X86Model cpu = this_model();
    return x86_microarchitecture(cpu.vendor, cpu.family, cpu.model);
}

std::string description() {
    const X86Model cpu = this_model();
    if (cpu.vendor.empty()) return "unknown";
    std::string text = cpu.vendor;
    text.append(" family ").append(std::to_string(cpu.family));
    text.append(" model ").append(std::to_string(cpu.model));
    text.append(" stepping ").append(std::to_string(cpu.stepping));
    if (!cpu.name.empty()) text.append(", ").append(cpu.name);
    return text;
}
#else
std::string_view microarchitecture_of_this_cpu() {
    return {};
}

/// The value of the first line of /proc/cpuinfo that begins with `key`; "" if there is none.
std::string first_value(const std::string& key) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(": ");
        if (line.rfind(key, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
    }
    return {};
}

std::string description() {
    const std::string implementer = first_value("CPU implementer");
    const std::string part = first_value("CPU part");
    if (implementer.empty() || part.empty()) return "unknown";
    return "implementer " + implementer + " part " + part;
}
#endif

/// For CPUs that the table does not have.
std::string_view generic_name(Isa isa) {
    switch (isa) {
        case Isa::portable:
            return "portable";
        case Isa::avx2:
        case Isa::avx2vnni:
            return "avx2";
        case Isa::avx512:
        case Isa::avx512vnni:
            return "ice_lake";
        case Isa::neon:
        case Isa::neon_dotprod:
            return "neon";
    }
    return "portable";
}

Machine detect(Isa isa) {
    const std::string_view known = microarchitecture_of_this_cpu();
    std::optional<Machine> machine = machine_named(known, isa);
    if (!machine) machine = machine_named(generic_name(isa), isa);
    const CacheSizes caches = cache_sizes();
    if (caches.l1 > 0) machine->l1_bytes = caches.l1;
    if (caches.l2 > 0) machine->l2_bytes = caches.l2;
    if (caches.l3 > 0) machine->l3_bytes = caches.l3;
    return *machine;
}

}  // namespace

std::string_view x86_microarchitecture(std::string_view vendor, unsigned family, unsigned model) {
    if (vendor == "GenuineIntel") return name_in(intel_models, family, model);
    if (vendor == "AuthenticAMD") return name_in(amd_models, family, model);
    return {};
}

const std::string& cpu_description() {
    static const std::string text = description();
    return text;
}

bool knows_this_cpu(Isa isa) {
    return machine_named(microarchitecture_of_this_cpu(), isa).has_value();
}

const Machine& this_machine(Isa isa) {
    static const auto machines = [] {
        std::array<Machine, isa_count> list;
        for (const Isa each : all_isas()) list[static_cast<std::size_t>(each)] = detect(each);
        return list;
    }();
    return machines[static_cast<std::size_t>(isa)];
}

}  // namespace vgg19::kernels
