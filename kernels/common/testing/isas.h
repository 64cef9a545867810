// For tests that run on every ISA.
#pragma once

#include <string>
#include <vector>

#include "kernels/common/isa.h"

namespace vgg19::kernels::testing {

/// Those that are in this build and that this CPU has.
inline std::vector<Isa> isas_of_this_cpu() {
    std::vector<Isa> isas;
    for (const Isa isa : all_isas()) {
        if (isa_is_built(isa) && cpu_supports(isa)) isas.push_back(isa);
    }
    return isas;
}

/// As SessionOptions::isa wants them.
inline std::vector<std::string> isa_names_of_this_cpu() {
    std::vector<std::string> names;
    for (const Isa isa : isas_of_this_cpu()) names.emplace_back(isa_name(isa));
    return names;
}

}  // namespace vgg19::kernels::testing
