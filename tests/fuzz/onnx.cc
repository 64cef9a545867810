// ONNX.
#include "converter/import/onnx/onnx.h"

#include "converter/import/formats/protobuf_fields.h"
#include "tests/fuzz/foreign.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t factor = 160;
    vgg19::fuzzing::read_foreign(vgg19::converter::onnx_format, data, size, factor,
                                 2 * vgg19::converter::protobuf_description_bytes);
    return 0;
}
