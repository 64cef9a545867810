#include "kernels/dense_int4/dense_int4.h"

#include "kernels/common/float16.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseInt4Function> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/dense_int4/kernels.inc"
#undef VGG19_KERNEL
};

int stored_weight(const std::uint8_t* group, std::size_t output) {
    const unsigned byte = group[output % int4_group_bytes];
    const unsigned stored = output < int4_group_bytes ? byte & 0xFU : byte >> 4U;
    return static_cast<int>(stored) - int4_offset;
}

/// Outputs [begin, begin + count) of one group. Sums in double: products are exact there, so this is also
/// what the other kernels are measured against.
void compute_group(const DenseInt4& problem, std::size_t image, std::size_t begin, std::size_t count) {
    double sums[int4_group] = {};
    for (std::size_t k = 0; k < problem.row_count; ++k) {
        const std::size_t row = problem.rows[k];
        const std::size_t group = row * problem.groups() + begin / int4_group;
        const double factor = double{problem.input[image * problem.inputs + row]} *
                              double{float16_value(problem.weight_scale[group])};
        const std::uint8_t* weights = problem.weights + group * int4_group_bytes;
        for (std::size_t o = 0; o < count; ++o) sums[o] += factor * stored_weight(weights, o);
    }
    for (std::size_t o = 0; o < count; ++o) {
        const float value = problem.bias[begin + o] + static_cast<float>(sums[o]);
        problem.output[image * problem.outputs + begin + o] = problem.relu && value < 0.0F ? 0.0F : value;
    }
}

}  // namespace

std::span<const Kernel<DenseInt4Function>> dense_int4_kernels() {
    return fastest_first;
}

void dense_int4_scalar(const DenseInt4& problem, std::size_t begin, std::size_t end) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = begin; output < end; output += int4_group) {
            compute_group(problem, image, output, end - output < int4_group ? end - output : int4_group);
        }
    }
}

}  // namespace vgg19::kernels
