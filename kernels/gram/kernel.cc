#include <cstddef>

#include "kernels/gram/gram.h"
#include "kernels/simd/unrolled.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

constexpr std::size_t lanes = Vector::width;
using Register = Vector::Register;

/// A register tile of sums has this many rows of either side: 25 sums, five rows and one more fill 31 of 32
/// registers; 9, three and one 13 of 16.
constexpr std::size_t side = Vector::registers == 32 ? 5 : 3;
static_assert(GramSums::group_rows % side == 0);

/// Adds the products of rows [first_i, first_i + side) and [first_j, first_j + side) of columns [begin, end).
/// Rows past the last are those of the last one, whose sums are left out.
void add_products(const GramSums& problem, std::size_t first_i, std::size_t first_j, std::size_t begin,
                  std::size_t end) {
    const float* of_i[side];
    const float* of_j[side];
    for (std::size_t k = 0; k < side; ++k) {
        const std::size_t last = problem.rows - 1;
        of_i[k] = problem.values + (first_i + k < last ? first_i + k : last) * problem.columns;
        of_j[k] = problem.values + (first_j + k < last ? first_j + k : last) * problem.columns;
    }
    Register sums[side][side];
    unrolled<side * side>([&](auto k)
                              __attribute__((always_inline)) { sums[k / side][k % side] = Vector::zero(); });
    const auto add = [&](const auto& load) __attribute__((always_inline)) {
        Register left[side];
        unrolled<side>([&](auto i) __attribute__((always_inline)) { left[i] = load(of_i[i]); });
        unrolled<side>([&](auto j) __attribute__((always_inline)) {
            const Register right = load(of_j[j]);
            unrolled<side>([&](auto i) __attribute__((always_inline)) {
                sums[i][j] = Vector::multiply_add(left[i], right, sums[i][j]);
            });
        });
    };
    std::size_t p = begin;
    for (; p + lanes <= end; p += lanes) {
        add([&](const float* row) __attribute__((always_inline)) { return Vector::load(row + p); });
    }
    if (p < end) {
        add([&](const float* row)
                __attribute__((always_inline)) { return Vector::load_first(row + p, end - p); });
    }
    for (std::size_t i = 0; i < side && first_i + i < problem.rows; ++i) {
        for (std::size_t j = 0; j < side && first_j + j < problem.rows; ++j) {
            if (first_i + i > first_j + j) continue;
            problem.sums[(first_i + i) * problem.rows + first_j + j] += double{Vector::total(sums[i][j])};
        }
    }
}

void gram_sums(const GramSums& problem, std::size_t chunk, std::size_t task) {
    std::size_t a = 0;  // task counts through the pairs (a, b) with a ≤ b
    while (task >= problem.groups() - a) task -= problem.groups() - a++;
    const std::size_t b = a + task;
    constexpr std::size_t group = GramSums::group_rows;
    const std::size_t begin = chunk * problem.chunk_columns();
    const std::size_t left = problem.columns - begin;
    const std::size_t end =
        left < problem.chunk_columns() ? problem.columns : begin + problem.chunk_columns();
    for (std::size_t i = a * group; i < (a + 1) * group && i < problem.rows; i += side) {
        for (std::size_t j = b * group; j < (b + 1) * group && j < problem.rows; j += side) {
            if (i <= j) add_products(problem, i, j, begin, end);
        }
    }
}

/// A register tile of the product: three vectors of columns, and so many rows that sums, columns and a factor
/// fill 28 of 32 registers, or 16 of 16.
constexpr std::size_t vectors = 3;
constexpr std::size_t tile_rows = Vector::registers == 32 ? 8 : 4;
static_assert(GramProduct::strip_columns % (vectors * lanes) == 0);

/// Rows [row, row + tile_rows), or fewer at the end, of the columns at `strip` of a packed strip.
void multiply_tile(const GramProduct& problem, std::size_t row, const float* strip, float* result) {
    const float* factors[tile_rows];
    for (std::size_t i = 0; i < tile_rows; ++i) {
        factors[i] = problem.factors + (row + i < problem.rows ? row + i : row) * problem.rows;
    }
    Register sums[tile_rows][vectors];
    unrolled<tile_rows * vectors>([&](auto k) __attribute__((always_inline)) {
        sums[k / vectors][k % vectors] = Vector::zero();
    });
    for (std::size_t k = 0; k < problem.rows; ++k, strip += GramProduct::strip_columns) {
        Register values[vectors];
        unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
            values[v] = Vector::load(strip + v * lanes);
        });
        unrolled<tile_rows>([&](auto i) __attribute__((always_inline)) {
            const Register factor = Vector::broadcast(factors[i][k]);
            unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
                sums[i][v] = Vector::multiply_add(factor, values[v], sums[i][v]);
            });
        });
    }
    unrolled<tile_rows * vectors>([&](auto k) __attribute__((always_inline)) {
        Vector::store(result + k * lanes, sums[k / vectors][k % vectors]);
    });
}

/// Writes the first `count` of a tile's columns.
void store_tile(const GramProduct& problem, std::size_t row, std::size_t column, std::size_t count,
                const float* tile) {
    for (std::size_t i = 0; i < tile_rows && row + i < problem.rows; ++i) {
        float* to = problem.result + (row + i) * problem.columns + column;
        for (std::size_t v = 0; v < vectors; ++v) {
            if (v * lanes >= count) break;
            const std::size_t inside = count - v * lanes < lanes ? count - v * lanes : lanes;
            Register sum = Vector::load(tile + (i * vectors + v) * lanes);
            if (problem.adds) sum = Vector::add(sum, Vector::load_first(to + v * lanes, inside));
            Vector::store_first(to + v * lanes, inside, sum);
        }
    }
}

void gram_product(const GramProduct& problem, std::size_t strip, float* scratch) {
    constexpr std::size_t width = GramProduct::strip_columns;
    const std::size_t first = strip * width;
    const std::size_t count = problem.columns - first < width ? problem.columns - first : width;
    // Rows are far apart in memory, on pages of their own.
    for (std::size_t k = 0; k < problem.rows; ++k) {
        const float* from = problem.values + k * problem.columns + first;
        for (std::size_t v = 0; v < width; v += lanes) {
            const std::size_t inside = v >= count ? 0 : count - v < lanes ? count - v : lanes;
            Vector::store(scratch + k * width + v,
                          inside == lanes ? Vector::load(from + v) : Vector::load_first(from + v, inside));
        }
    }
    alignas(64) float tile[tile_rows * vectors * lanes];
    for (std::size_t column = 0; column < count; column += vectors * lanes) {
        for (std::size_t row = 0; row < problem.rows; row += tile_rows) {
            multiply_tile(problem, row, scratch + column, tile);
            store_tile(problem, row, first + column, count - column, tile);
        }
    }
}

}  // namespace

const GramKernels gram = {.sums = gram_sums, .product = gram_product};

}  // namespace vgg19::kernels::VGG19_ISA
