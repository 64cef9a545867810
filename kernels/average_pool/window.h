// The windows of the adaptive average pool.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// The inputs [begin, end) that one output averages, along one axis.
struct PoolWindow {
    std::size_t begin;
    std::size_t end;
};
[[gnu::always_inline]] inline PoolWindow pool_window(std::size_t index, std::size_t input_size,
                                                     std::size_t output_size) {
    return {index * input_size / output_size, ((index + 1) * input_size + output_size - 1) / output_size};
}

}  // namespace vgg19::kernels
