// Products of the rows of a matrix, and of a matrix with these rows: Gram matrices of feature maps in the
// plain layout, and their gradient.
#pragma once

#include <cstddef>

#include "kernels/common/blocked_layout.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// sums[i][j] = Σ_p rows[i][p] · rows[j][p] for i ≤ j: `rows` are one image's maps, `columns` their pixels.
/// The columns are taken in chunks, whose sums are added in double precision in order, so that results are
/// the same for every number of threads; within a chunk, tasks of some pairs of rows run concurrently.
struct GramSums {
    std::size_t rows = 0;
    std::size_t columns = 0;
    const float* values = nullptr;  ///< [rows][columns]
    double* sums = nullptr;         ///< [rows][rows], added to; below the diagonal it stays as it was

    /// Rows of a task; as pairs of groups (a, b) with a ≤ b.
    static constexpr std::size_t group_rows = 15;
    std::size_t groups() const { return blocks_of(rows, group_rows); }
    std::size_t tasks() const { return groups() * (groups() + 1) / 2; }
    /// So many columns that a chunk of all rows stays in a second-level cache.
    std::size_t chunk_columns() const {
        constexpr std::size_t chunk_values = std::size_t{1} << 17U;
        constexpr std::size_t granularity = 64;
        const std::size_t wanted = chunk_values / rows / granularity * granularity;
        return wanted < granularity ? granularity : wanted > 2048 ? 2048 : wanted;
    }
    std::size_t chunks() const { return blocks_of(columns, chunk_columns()); }
};

/// result[i][p] = Σ_k factors[i][k] · values[k][p], or plus what is there. Strips of columns may be computed
/// concurrently.
struct GramProduct {
    std::size_t rows = 0;
    std::size_t columns = 0;
    const float* factors = nullptr;  ///< [rows][rows]
    const float* values = nullptr;   ///< [rows][columns]
    float* result = nullptr;         ///< [rows][columns], not `values`
    bool adds = false;

    static constexpr std::size_t strip_columns = 48;
    std::size_t strips() const { return blocks_of(columns, strip_columns); }
    std::size_t scratch_size() const { return rows * strip_columns; }  ///< floats for each concurrent call
};

struct GramKernels {
    void (*sums)(const GramSums& problem, std::size_t chunk, std::size_t task);
    void (*product)(const GramProduct& problem, std::size_t strip, float* scratch);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const GramKernels, gram)

}  // namespace vgg19::kernels
