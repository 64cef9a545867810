#include "kernels/common/dense_tiles.h"
#include "kernels/dense_fp32/dense_fp32.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

struct Arithmetic {
    using Sum = Vector::Register;
    static constexpr std::size_t lanes = Vector::width;

    static Sum zero() { return Vector::zero(); }
    static Sum load(const float* values) { return Vector::load(values); }
    static Sum load_first(const float* values, std::size_t count) {
        return Vector::load_first(values, count);
    }
    static Sum multiply_add(Sum inputs, Sum weights, Sum sum) {
        return Vector::multiply_add(inputs, weights, sum);
    }
    /// A NaN stays one.
    static void finish(const DenseFp32& problem, std::size_t image, std::size_t output, Sum sum) {
        const float value = problem.bias[output] + Vector::total(sum);
        problem.output[image * problem.outputs + output] = problem.relu && value < 0.0F ? 0.0F : value;
    }
};

}  // namespace

void dense_fp32(const DenseFp32& problem, std::size_t begin, std::size_t end) {
    // With two images, eight sums and what they are made from fit sixteen registers.
    constexpr std::size_t images = Vector::registers >= 32 ? 4 : 2;
    compute_dense<Arithmetic, 4, images>(problem, begin, end);
}

}  // namespace vgg19::kernels::VGG19_ISA
