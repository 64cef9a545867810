// A safetensors file, opened as a vgg19 model and as weights of other programs.
#include "engine/model/model_file.h"
#include "engine/model/safetensors_header.h"
#include "tests/fuzz/pth.h"
#include "tests/fuzz/safetensors_mutator.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
    return vgg19::fuzzing::mutate_safetensors(data, size, longest, seed);
}

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t fixed = std::size_t{1} << 16U;
    vgg19::fuzzing::check_reading(size, vgg19::model::header_memory_factor, fixed, [&] {
        vgg19::model::SafetensorsFile::open_for_import(vgg19::fuzzing::as_file(data, size));
    });
    vgg19::fuzzing::check_reading(size, 40, fixed, [&] {
        vgg19::model::ModelFile::open(vgg19::fuzzing::as_file(data, size)).verify_checksums();
    });
    vgg19::fuzzing::read_weights(data, size);
    return 0;
}
