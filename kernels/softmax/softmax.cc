#include "kernels/softmax/softmax.h"

#include <algorithm>

namespace vgg19::kernels {

void top_k(const float* values, std::size_t count, std::size_t top, std::size_t* indices) {
    std::size_t held = 0;
    for (std::size_t index = 0; index < count; ++index) {
        std::size_t place = held;
        while (place > 0 && values[index] > values[indices[place - 1]]) --place;
        if (place == top) continue;
        held = std::min(held + 1, top);
        std::copy_backward(indices + place, indices + held - 1, indices + held);
        indices[place] = index;
    }
}

}  // namespace vgg19::kernels
