// For the fuzzers of PyTorch's containers.
#pragma once

#include <vector>

#include "converter/import/names.h"
#include "converter/import/state_dict.h"
#include "tests/fuzz/reader_fuzzing.h"

namespace vgg19::fuzzing {

/// Reads at most as many values as a network's shapes allow: an expanded tensor can have very many.
inline void read_tensors(const converter::StateDict& dict) {
    constexpr std::size_t most_elements = 4096;
    std::vector<float> values(most_elements);
    for (const converter::StoredTensor& tensor : dict.tensors()) {
        if (!converter::is_floating(tensor.dtype) || tensor.elements() > most_elements) continue;
        converter::read_values<float>(tensor, dict.mapping(), std::span(values).first(tensor.elements()));
    }
}

/// Weights of other programs must be read and searched for a network, or give an Error about the input.
inline void read_weights(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t factor = 160;  // of the pickle, the tree, and the modules found in it
    constexpr std::size_t fixed = std::size_t{4} << 20U;
    check_reading(size, factor, fixed, [&] {
        const auto state = converter::StateDict::open(as_file(data, size));
        read_tensors(state);
        const auto modules = converter::modules_of(state.tensors());
        converter::recognise_vgg(modules, "file");
    });
}

}  // namespace vgg19::fuzzing
