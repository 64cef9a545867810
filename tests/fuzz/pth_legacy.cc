// PyTorch's older stream format: several pickles, then the storages; and pickles of Python's own module.
#include "tests/fuzz/pickle_mutator.h"
#include "tests/fuzz/pth.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
    // The magic number and the version, without which nothing else is read, change rarely.
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t version = text.find("M\xe9\x03.");
    const bool keep = version != std::string_view::npos && seed % 16 != 1;
    return vgg19::fuzzing::mutate_pickle(data, size, longest, seed, keep ? version + 4 : 0);
}

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vgg19::fuzzing::read_weights(data, size);
    return 0;
}
