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
namespace {

void compute_fp32(const Dense& problem, Range outputs) {
    compute_all_rows<Fp32, most_outputs, most_images>(problem, outputs.begin, outputs.end);
}

void sum_part_fp32(const Dense& problem, std::size_t part, Range rows, Range outputs) {
    if (problem.batch == 1) {
        sum_rows<Fp32Rows<1>, 8>(problem, part, rows, outputs);
    } else {
        sum_rows<Fp32Rows<most_images>, 4>(problem, part, rows, outputs);
    }
}

void sum_part_int4(const Dense& problem, std::size_t part, Range rows, Range outputs) {
    sum_rows<Int4Rows<most_images / 2>, 8>(problem, part, rows, outputs);
}

}  // namespace

const DenseSteps dense_fp32 = {nullptr, compute_fp32};
const DenseSteps dense_sparse_input = {sum_part_fp32, add_parts<Fp32Rows<1>>};
const DenseSteps dense_int4 = {sum_part_int4, add_parts<Int4Rows<1>>};
#endif

#if VGG19_IS_DOT_PRODUCT_ISA
namespace {

/// The rows of input-major INT8 weights at once: two registers of each block's weights, or one.
constexpr std::size_t most_int8_rows = Vector::registers >= 32 ? 8 : 4;

void compute_int8(const Dense& problem, Range outputs) {
    compute_all_rows<Int8, most_outputs, most_images>(problem, outputs.begin, outputs.end);
}

void sum_part_int8(const Dense& problem, std::size_t part, Range rows, Range outputs) {
    sum_rows<Int8Rows, most_int8_rows>(problem, part, rows, outputs);
}

}  // namespace

const DenseSteps dense_int8 = {nullptr, compute_int8};
const DenseSteps dense_int8_sparse_input = {sum_part_int8, add_parts<Int8Rows>};
#endif

}  // namespace vgg19::kernels::VGG19_ISA
