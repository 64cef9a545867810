#include "kernels/onednn/implementation_isa.h"

namespace vgg19::kernels {

std::optional<Isa> isa_of_implementation(std::string_view name) {
    while (!name.empty()) {  // parts between colons
        const std::string_view part = name.substr(0, name.find(':'));
        if (part.starts_with("avx512")) return Isa::avx512;
        if (part.starts_with("avx2")) return Isa::avx2;
        name.remove_prefix(part.size() == name.size() ? part.size() : part.size() + 1);
    }
    return std::nullopt;
}

}  // namespace vgg19::kernels
