// A pickle must be read and its tensors found, or give an Error about the input, in bounded memory.
#include <array>
#include <string>

#include "converter/import/checkpoint_tree.h"
#include "tests/fuzz/pickle_mutator.h"

namespace {

namespace converter = vgg19::converter;

constexpr std::array<std::byte, 64> storage{};

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
    return vgg19::fuzzing::mutate_pickle(data, size, longest, seed);
}

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t factor = converter::pickle_memory_factor + converter::contents_memory_factor;
    constexpr std::size_t fixed = std::size_t{2} << 20U;
    vgg19::fuzzing::check_reading(size, factor, fixed, [&] {
        converter::ByteReader reader(vgg19::fuzzing::as_bytes(data, size), "file", 0, size);
        const converter::Pickle pickle = converter::Pickle::read(reader);
        const converter::CheckpointContents contents =
            converter::flatten(pickle, {{"0", storage}, {"1", storage}});
        for (const converter::StoredTensor& tensor : contents.tensors) {
            if (!converter::is_floating(tensor.dtype) || tensor.elements() > 1000) continue;
            std::array<double, 1000> values;
            const auto file = vgg19::fuzzing::as_file(data, size);
            converter::read_values<double>(tensor, file, std::span(values).first(tensor.elements()));
        }
    });
    return 0;
}
