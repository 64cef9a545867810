#include "kernels/column_products/column_products.h"

#include <algorithm>

namespace vgg19::kernels {

namespace {

constexpr Kernel<ColumnProductsFunction> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/column_products/kernels.inc"
#undef VGG19_KERNEL
};

/// One row of `left` times one panel of `right`.
void add_products(const ColumnProducts& problem, const float* left, const float* right, double* sums) {
    float products[panel_columns] = {};
    for (std::size_t sample = 0; sample < problem.samples; ++sample) {
        const float value = left[sample * panel_columns];
        for (std::size_t column = 0; column < panel_columns; ++column) {
            products[column] += value * right[sample * panel_columns + column];
        }
    }
    for (std::size_t column = 0; column < panel_columns; ++column) {
        sums[column] += static_cast<double>(products[column]);
    }
}

}  // namespace

std::span<const Kernel<ColumnProductsFunction>> column_products_kernels() {
    return fastest_first;
}

void column_products_scalar(const ColumnProducts& problem, std::size_t begin, std::size_t end) {
    const std::size_t panel_size = problem.samples * panel_columns;
    for (std::size_t panel = begin; panel < end; ++panel) {
        const std::size_t right_end =
            problem.lower ? std::min(panel + 1, problem.right_panels) : problem.right_panels;
        for (std::size_t row = 0; row < panel_columns; ++row) {
            for (std::size_t right = 0; right < right_end; ++right) {
                add_products(
                    problem, problem.left + panel * panel_size + row, problem.right + right * panel_size,
                    problem.sums + (panel * panel_columns + row) * problem.stride + right * panel_columns);
            }
        }
    }
}

}  // namespace vgg19::kernels
