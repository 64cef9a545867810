// Fully connected (dense) layer: matrix times vector, and times a small batch of vectors.
//
//   output[b][o] = f(bias[o] + Σ_i input[b][i] · w[o][i]),   f(x) = relu ? max(x, 0) : x
//
// The weights are FP32, INT8 or INT4, in one of two memory orders:
//
//   output-major   [outputs][inputs]: all weights are read.
//   input-major    [inputs][outputs]: the weights of one input for all outputs are contiguous. A dense
//                  layer takes the time of reading its weights, and after a ReLU about half of its inputs are
//                  zero: the rows of weights of those are never read, which changes no sum.
//
// The rows of input-major weights are divided into parts, so that many threads can each read long runs of
// memory: the products of a part's rows are summed first, and the parts' sums are added in their order. FP32
// and INT4 have a part for each 256 inputs, whatever the number of threads; a sum of 25,088 terms in one row
// would also be too inaccurate. Parts are counted in inputs, not in rows that are read, so that an image's
// sum does not depend on the rest of its batch. INT8 sums are exact, so there any division gives the same.
//
// INT8: input is quantised while the network runs, unsigned and with zero point 0 (it follows a ReLU), with
// one scale for each image; weights have one scale for each output. The sum is exact, in 32 bits:
//
//   output[b][o] = f(bias[o] + float(Σ_i input[b][i] · w[o][i]) · (input_scale[b] · int8_scale[o]))
//
// INT4: the input is FP32. A group of 32 neighbouring outputs of one input shares a scale in half precision
// (IEEE binary16), and has its weights q in 16 bytes: byte j holds q + 8 of output j in its lower half, of
// output j + 16 in its upper half. Outputs are padded to whole groups; what the padding holds has no effect.
//
//   output[b][o] = f(bias[o] + Σ_i input[b][i] · int4_scale[i][o / 32] · q[i][o])
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/parallel.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// The type and order of the weights. INT4 weights are always input-major.
enum class DenseWeights : unsigned char {
    fp32_output_major,
    fp32_input_major,
    int8_output_major,
    int8_input_major,
    int4_input_major,
};

inline constexpr DenseWeights all_dense_weights[] = {
    DenseWeights::fp32_output_major, DenseWeights::fp32_input_major, DenseWeights::int8_output_major,
    DenseWeights::int8_input_major, DenseWeights::int4_input_major};

constexpr bool is_int8(DenseWeights weights) {
    return weights == DenseWeights::int8_output_major || weights == DenseWeights::int8_input_major;
}
constexpr bool is_input_major(DenseWeights weights) {
    return weights != DenseWeights::fp32_output_major && weights != DenseWeights::int8_output_major;
}

/// Up to this number of inputs, INT8 sums fit 32 bits for all values: 255 · 128 · 65,793 < 2^31.
inline constexpr std::size_t dense_int8_max_inputs = 65793;

/// The number of outputs that share an INT4 scale.
inline constexpr std::size_t int4_group = 32;
inline constexpr std::size_t int4_group_bytes = int4_group / 2;
/// The offset that is added to an INT4 weight, −8 … 7, to store it.
inline constexpr int int4_offset = 8;

/// Only the inputs and weights that the type of the weights needs are set. All are used in place, and need
/// only the alignment of their types.
struct Dense {
    std::size_t batch = 1;
    std::size_t inputs = 0;  ///< at most dense_int8_max_inputs for INT8
    std::size_t outputs = 0;
    const float* input = nullptr;              ///< [batch][inputs], for FP32 and INT4 weights
    const std::uint8_t* int8_input = nullptr;  ///< the same, for INT8 weights
    const float* input_scale = nullptr;        ///< [batch], scale of the INT8 input
    const float* fp32_weights = nullptr;       ///< finite if they are input-major
    const std::int8_t* int8_weights = nullptr;
    const float* int8_scale = nullptr;           ///< [outputs]
    const std::uint8_t* int4_weights = nullptr;  ///< [inputs][int4_groups()][int4_group_bytes]
    const std::uint16_t* int4_scale = nullptr;   ///< [inputs][int4_groups()]: bits of finite halves
    const float* bias = nullptr;                 ///< [outputs]
    float* output = nullptr;                     ///< [batch][outputs]
    const std::uint32_t* input_rows = nullptr;   ///< [input_row_count]: the result of list_nonzero_inputs(),
    std::size_t input_row_count = 0;             ///< for input-major weights
    std::size_t parts = 1;                       ///< of input-major weights: see dense_parts()
    void* sums = nullptr;                        ///< of the parts: sums_bytes(), for input-major weights
    bool relu = false;

    std::size_t int4_groups() const { return (outputs + int4_group - 1) / int4_group; }
    std::size_t padded_outputs() const { return (outputs + 127) / 128 * 128; }
    /// Sums have the shape [parts][batch][padded_outputs()], in an order of outputs that kernels choose.
    std::size_t sums_bytes() const { return parts * batch * padded_outputs() * sizeof(float); }
};

/// Writes to `rows`, ascending, the inputs that are not zero in at least one image (NaN is not zero), and
/// returns their number. `rows` must have room for `inputs` elements; there must be fewer than 2^32.
std::size_t list_nonzero_inputs(const float* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows);
std::size_t list_nonzero_inputs(const std::uint8_t* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows);

/// The number of inputs of a part of FP32 or INT4 weights.
inline constexpr std::size_t dense_part_inputs = 256;

/// The number of parts that a problem has: fixed for FP32 and INT4; for INT8 as many as wanted.
std::size_t dense_parts(DenseWeights weights, std::size_t inputs, std::size_t wanted);

/// The positions in `input_rows` of a part's rows. INT8: of nearly equal number.
Range dense_part_rows(DenseWeights weights, const Dense& problem, std::size_t part);

/// Ranges of outputs start and end at multiples of this, except for the last end.
std::size_t dense_granularity(DenseWeights weights);

/// The size in bytes of one input's weights, including INT4 scales.
std::size_t dense_row_bytes(DenseWeights weights, std::size_t outputs);

/// A kernel's steps. The order of an output's additions depends neither on the ranges, nor on the batch, nor
/// on the image's position, so any split among threads gives the same bits. INT8 kernels of both orders and
/// all ISAs give identical bits: sums are exact (nothing saturates), and the last step uses the same float
/// operations (no fused multiply-add).
struct DenseSteps {
    /// Input-major weights, else null: writes a part's sums for outputs [outputs.begin, outputs.end) of every
    /// image. `rows` are its positions in `input_rows`, as dense_part_rows() gives them.
    void (*sum_part)(const Dense& problem, std::size_t part, Range rows, Range outputs);
    /// Computes outputs [outputs.begin, outputs.end) of every image. With input-major weights they must have
    /// been summed for all parts, whose sums it overwrites.
    void (*compute)(const Dense& problem, Range outputs);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const DenseSteps, dense_fp32)
VGG19_KERNELS(VGG19_FLOAT_ISAS, const DenseSteps, dense_sparse_input)
VGG19_KERNELS(VGG19_DOT_PRODUCT_ISAS, const DenseSteps, dense_int8)
VGG19_KERNELS(VGG19_DOT_PRODUCT_ISAS, const DenseSteps, dense_int8_sparse_input)
VGG19_KERNELS(VGG19_FLOAT_ISAS, const DenseSteps, dense_int4)

/// The kernels for these weights.
KernelList<const DenseSteps> dense_kernels(DenseWeights weights);

}  // namespace vgg19::kernels
