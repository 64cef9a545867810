// Keras: HDF5 files, read by a child process, which makes this slow.
#include "converter/import/keras/keras.h"

#include "converter/import/hdf5/hdf5_records.h"
#include "tests/fuzz/foreign.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t factor = 160;
    vgg19::fuzzing::read_foreign(vgg19::converter::keras_format, data, size, factor,
                                 6 * vgg19::converter::hdf5_least_memory);
    return 0;
}
