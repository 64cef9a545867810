#include "kernels/dense/dense.h"

#include <algorithm>

namespace vgg19::kernels {

namespace {

template <class Value>
std::size_t list_nonzero(const Value* input, std::size_t batch, std::size_t inputs, std::uint32_t* rows) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
        bool nonzero = false;
        for (std::size_t image = 0; image < batch; ++image) nonzero |= input[image * inputs + i] != Value{0};
        rows[count] = static_cast<std::uint32_t>(i);  // overwritten by the next one if this input is zero
        count += nonzero ? 1 : 0;
    }
    return count;
}

}  // namespace

std::size_t list_nonzero_inputs(const float* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows) {
    return list_nonzero(input, batch, inputs, rows);
}

std::size_t list_nonzero_inputs(const std::uint8_t* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows) {
    return list_nonzero(input, batch, inputs, rows);
}

std::size_t dense_parts(DenseWeights weights, std::size_t inputs, std::size_t wanted) {
    if (is_int8(weights)) return std::max<std::size_t>(wanted, 1);
    return std::max<std::size_t>((inputs + dense_part_inputs - 1) / dense_part_inputs, 1);
}

Range dense_part_rows(DenseWeights weights, const Dense& problem, std::size_t part) {
    if (is_int8(weights)) return part_of(problem.input_row_count, problem.parts, part);
    const std::uint32_t* const end = problem.input_rows + problem.input_row_count;
    const auto position = [&](std::size_t first_input) {
        return static_cast<std::size_t>(std::lower_bound(problem.input_rows, end, first_input) -
                                        problem.input_rows);
    };
    return {position(part * dense_part_inputs), position((part + 1) * dense_part_inputs)};
}

std::size_t dense_granularity(DenseWeights weights) {
    switch (weights) {
        case DenseWeights::fp32_output_major:
        case DenseWeights::fp32_input_major:
        case DenseWeights::int8_output_major:
            return 1;
        case DenseWeights::int8_input_major:
            return 64;
        case DenseWeights::int4_input_major:
            break;
    }
    return 128;
}

std::size_t dense_row_bytes(DenseWeights weights, std::size_t outputs) {
    if (is_int8(weights)) return outputs;
    if (weights != DenseWeights::int4_input_major) return outputs * sizeof(float);
    return Dense{.outputs = outputs}.int4_groups() * (int4_group_bytes + sizeof(std::uint16_t));
}

KernelList<const DenseSteps> dense_kernels(DenseWeights weights) {
    switch (weights) {
        case DenseWeights::fp32_output_major:
            return dense_fp32_kernels();
        case DenseWeights::fp32_input_major:
            return dense_sparse_input_kernels();
        case DenseWeights::int8_output_major:
            return dense_int8_kernels();
        case DenseWeights::int8_input_major:
            return dense_int8_sparse_input_kernels();
        case DenseWeights::int4_input_major:
            break;
    }
    return dense_int4_kernels();
}

}  // namespace vgg19::kernels
