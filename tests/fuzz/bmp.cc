// BMPs with libFuzzer's own mutations.
#include "tests/fuzz/pictures.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vgg19::fuzzing::decode_picture({data, size});
    return 0;
}
