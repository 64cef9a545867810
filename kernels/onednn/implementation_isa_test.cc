#include "kernels/onednn/implementation_isa.h"

#include <doctest/doctest.h>

namespace vgg19::kernels {

TEST_CASE("an implementation of oneDNN's uses the ISA that its name has, in any part") {
    CHECK(isa_of_implementation("jit:avx512_core") == Isa::avx512);
    CHECK(isa_of_implementation("jit_1x1:avx512_core_bf16") == Isa::avx512);
    CHECK(isa_of_implementation("brgconv:avx512_core_amx:extra") == Isa::avx512);
    CHECK(isa_of_implementation("jit:avx2") == Isa::avx2);
    CHECK(isa_of_implementation("brgconv:avx2_vnni_2") == Isa::avx2);
}

TEST_CASE("an implementation of oneDNN's whose name has an older ISA or none uses none of ours") {
    for (const char* name : {"", ":", "jit", "jit:avx", "jit:sse41", "gemm:jit", "ref:any", "jit:uni"}) {
        CAPTURE(name);
        CHECK(!isa_of_implementation(name));
    }
}

}  // namespace vgg19::kernels
