#include "kernels/average_pool_2x2/average_pool_2x2.h"
#include "kernels/common/pool_2x2_windows.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

void average_pool_2x2(const Pool2x2& problem, std::size_t begin, std::size_t end) {
    const std::size_t block = problem.block;
    const auto quarter = Vector::broadcast(0.25F);
    for_each_pooled<Vector::width>(
        problem, begin,
        end, [&](const float* upper, const float* lower, std::size_t index) __attribute__((always_inline)) {
            auto sum = Vector::add(Vector::load(upper), Vector::load(upper + block));
            sum = Vector::add(Vector::add(sum, Vector::load(lower)), Vector::load(lower + block));
            Vector::store(problem.output + index, Vector::multiply(sum, quarter));
        });
}

}  // namespace vgg19::kernels::VGG19_ISA
