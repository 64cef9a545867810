#include "kernels/common/pool_2x2_windows.h"
#include "kernels/max_pool/max_pool.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

void max_pool(const Pool2x2& problem, std::size_t begin, std::size_t end) {
    const std::size_t block = problem.block;
    for_each_pooled<Vector::width>(
        problem, begin,
        end, [&](const float* upper, const float* lower, std::size_t index) __attribute__((always_inline)) {
            const auto above = Vector::maximum(Vector::load(upper), Vector::load(upper + block));
            const auto below = Vector::maximum(Vector::load(lower), Vector::load(lower + block));
            Vector::store(problem.output + index, Vector::maximum(above, below));
        });
}

}  // namespace vgg19::kernels::VGG19_ISA
