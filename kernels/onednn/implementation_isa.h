// The instruction set of a oneDNN implementation.
#pragma once

#include <optional>
#include <string_view>

#include "kernels/isa/isa.h"

namespace vgg19::kernels {

/// Isa::avx512 or Isa::avx2, from the implementation's name: "jit:avx512_core", "brgconv:avx2_vnni". None for
/// older instructions and for generic code ("jit:sse41", "gemm:jit", "ref:any").
///
/// oneDNN (2.6 and 3.x) tells it in no other way: dnnl::get_effective_cpu_isa() speaks of the whole process,
/// and dnnl::set_max_cpu_isa() can be called once, before the first primitive.
std::optional<Isa> isa_of_implementation(std::string_view name);

}  // namespace vgg19::kernels
