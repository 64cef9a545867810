// For the fuzzers of other programs' formats.
#pragma once

#include "converter/import/foreign_format.h"
#include "tests/fuzz/pth.h"

namespace vgg19::fuzzing {

/// As read_weights(), with one format; `fixed` and `factor` bound its memory.
inline void read_foreign(const converter::ForeignFormat& format, const std::uint8_t* data, std::size_t size,
                         std::size_t factor, std::size_t fixed) {
    check_reading(size, factor, fixed, [&] {
        // Whatever it begins with: the reader must stand it.
        const converter::ForeignFormat always = {[](const model::MappedFile&) { return true; }, format.read};
        const auto state = converter::StateDict::open(as_file(data, size), std::span(&always, 1));
        read_tensors(state);
        const auto modules = converter::modules_of(state.tensors());
        converter::recognise_vgg(modules, "file");
    });
}

}  // namespace vgg19::fuzzing
