// The inputs of a dense layer whose weights have to be read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vgg19::kernels {

/// Writes to `rows`, ascending, the inputs that are not zero (a NaN is not) in one image at least, and
/// returns how many there are. `rows` has room for `inputs`, of which there are fewer than 2^32.
template <class Value>
static std::size_t list_nonzero(const Value* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
        bool nonzero = false;
        for (std::size_t image = 0; image < batch; ++image) nonzero |= input[image * inputs + i] != Value{0};
        rows[count] = static_cast<std::uint32_t>(i);  // written over by the next where this one is zero
        count += nonzero ? 1 : 0;
    }
    return count;
}

}  // namespace vgg19::kernels
