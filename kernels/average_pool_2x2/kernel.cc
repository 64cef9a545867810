#include "kernels/average_pool_2x2/average_pool_2x2.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

void average_pool_2x2(const AveragePool2x2& problem, std::size_t begin, std::size_t end) {
    const std::size_t block = problem.block;
    const std::size_t row_size = problem.width * block;
    const std::size_t output_height = problem.height / 2;
    const std::size_t output_row_size = problem.width / 2 * block;
    const auto quarter = Vector::broadcast(0.25F);
    for (std::size_t row = begin; row < end; ++row) {
        const std::size_t plane = row / output_height;
        const std::size_t y = row % output_height;
        const float* top = problem.input + (plane * problem.height + 2 * y) * row_size;
        float* output = problem.output + row * output_row_size;
        for (std::size_t pixel = 0; pixel < output_row_size; pixel += block) {
            for (std::size_t channel = 0; channel < block; channel += Vector::width) {
                const float* left = top + 2 * pixel + channel;
                const float* below = left + row_size;
                auto sum = Vector::add(Vector::load(left), Vector::load(left + block));
                sum = Vector::add(Vector::add(sum, Vector::load(below)), Vector::load(below + block));
                Vector::store(output + pixel + channel, Vector::multiply(sum, quarter));
            }
        }
    }
}

}  // namespace vgg19::kernels::VGG19_ISA
