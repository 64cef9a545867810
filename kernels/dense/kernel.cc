#include "kernels/dense/all_rows.h"
#include "kernels/dense/dense.h"
#include "kernels/dense/fp32.h"
#include "kernels/dense/int4.h"
#include "kernels/dense/int8.h"
#include "kernels/dense/rows_with_input.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

/// The number of images that share loaded weights. With four outputs and two images, the sums and their
/// operands fit sixteen registers.
constexpr std::size_t most_images = Vector::registers >= 32 ? 4 : 2;
/// The number of outputs at once if all rows are read: see compute_all_rows().
constexpr std::size_t most_outputs = 4;

}  // namespace

// cmake/isa.cmake decides which functions an ISA has: FP32 kernels of two ISAs that differ only in byte dot
// products would be identical.
#if VGG19_IS_FLOAT_ISA
void dense_fp32(const Dense& problem, std::size_t begin, std::size_t end) {
    compute_all_rows<Fp32, most_outputs, most_images>(problem, begin, end);
}

void dense_sparse_input(const Dense& problem, std::size_t begin, std::size_t end) {
    if (problem.batch == 1) {
        compute_rows_with_input<Fp32Rows<1>, 8>(problem, begin, end);
    } else {
        compute_rows_with_input<Fp32Rows<most_images>, 4>(problem, begin, end);
    }
}

void dense_int4(const Dense& problem, std::size_t begin, std::size_t end) {
    compute_rows_with_input<Int4Rows<most_images / 2>, 8>(problem, begin, end);
}
#endif

#if VGG19_IS_DOT_PRODUCT_ISA
void dense_int8(const Dense& problem, std::size_t begin, std::size_t end) {
    compute_all_rows<Int8, most_outputs, most_images>(problem, begin, end);
}

void dense_int8_sparse_input(const Dense& problem, std::size_t begin, std::size_t end) {
    compute_rows_with_input<Int8Rows, 4>(problem, begin, end);
}
#endif

}  // namespace vgg19::kernels::VGG19_ISA
