// For tests that run on every ISA.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/isa/isa.h"

namespace vgg19::kernels::testing {

/// The ISAs that are in this build and supported by this CPU.
inline std::vector<Isa> isas_of_this_cpu() {
    std::vector<Isa> isas;
    for (const Isa isa : all_isas()) {
        if (cpu_supports(isa)) isas.push_back(isa);
    }
    return isas;
}

/// The ISA at the end of a kernel's name; none if there is none. Only for tests: other code uses
/// enumerations.
inline std::optional<Isa> isa_of_kernel(const std::string& kernel) {
    std::optional<Isa> longest;
    for (const Isa isa : all_isas()) {
        const std::string name = isa_name(isa);
        if (!kernel.ends_with('_' + name)) continue;
        if (!longest || name.size() > std::string_view(isa_name(*longest)).size()) longest = isa;
    }
    return longest;
}

/// The names for SessionOptions::isa.
inline std::vector<std::string> isa_names_of_this_cpu() {
    std::vector<std::string> names;
    for (const Isa isa : isas_of_this_cpu()) names.emplace_back(isa_name(isa));
    return names;
}

}  // namespace vgg19::kernels::testing
