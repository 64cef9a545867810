#include "kernels/common/dense_tiles.h"
#include "kernels/dense_int8/dense_int8.h"
#include "kernels/dense_int8/finish.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

struct Arithmetic {
    using Sum = Vector::Sum;
    static constexpr std::size_t lanes = 4 * Vector::width;

    static Sum zero() { return Vector::zero_sum(); }
    static Vector::Quads load(const std::uint8_t* values) { return Vector::load_quads(values); }
    static Vector::QuadWeights load(const std::int8_t* values) { return Vector::load_quad_weights(values); }
    template <class Value>
    static auto load_first(const Value* values, std::size_t count) {
        Value padded[lanes] = {};
        __builtin_memcpy(padded, values, count);
        return load(padded);
    }
    static Sum multiply_add(Vector::Quads inputs, Vector::QuadWeights weights, Sum sum) {
        return Vector::dot4(inputs, weights, sum);
    }
    static void finish(const DenseInt8& problem, std::size_t image, std::size_t output, Sum sum) {
        finish_output(problem, image, output, Vector::total_sum(sum));
    }
};

}  // namespace

void dense_int8(const DenseInt8& problem, std::size_t begin, std::size_t end) {
    // With two images, eight sums and what they are made from fit sixteen registers.
    constexpr std::size_t images = Vector::registers >= 32 ? 4 : 2;
    compute_dense<Arithmetic, 4, images>(problem, begin, end);
}

}  // namespace vgg19::kernels::VGG19_ISA
