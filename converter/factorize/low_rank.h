// Approximates a matrix by the product of two thin ones: the truncated singular value decomposition.
//
//   W = Σ_k σ_k · u_k · v_kᵀ,  σ_1 ≥ σ_2 ≥ …
//   W ≈ B·A,  B = (√σ_k · u_k),  A = (√σ_k · v_kᵀ),  k ≤ rank
//
// No other matrix of that rank is closer to W: ‖W − B·A‖² = Σ_{k > rank} σ_k² in the Frobenius norm (Eckart
// and Young 1936). Columns of B and rows of A have equal norms, so that INT8 affects both factors equally.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace vgg19::converter {

/// Finite weights (outputs, inputs), either output-major or input-major.
struct WeightMatrix {
    const float* values = nullptr;
    std::size_t outputs = 0;
    std::size_t inputs = 0;
    bool input_major = false;
};

/// How much to keep: a rank, or the smallest rank (at most most_rank) that holds a share of Σ σ².
struct Truncation {
    std::size_t rank = 0;  ///< 0: chosen by energy; at most the smaller side of the matrix
    double energy = 0;     ///< above 0, below 1
    std::size_t most_rank = 0;
};

/// Both factors in the matrix's order: output-major (rank, inputs) and (outputs, rank), or their transposes.
struct LowRank {
    std::size_t rank = 0;
    double relative_error = 0;  ///< ‖W − B·A‖ / ‖W‖ of the factors before they are rounded to FP32
    std::vector<float> first;   ///< A
    std::vector<float> second;  ///< B
};

/// Computed in double from the eigenvectors of the smaller of W·Wᵀ and Wᵀ·W; the longer factor is W projected
/// on them, so that the reported error is exact. Singular values below about 1e-8 of the largest are noise.
/// For ranks up to about half the smaller side, the eigenvectors come from subspace iteration, which stops
/// when a step reduces the squared error by less than a fraction of 1e-4; the error is then within 0.1 % of
/// the minimum. Runs on all CPUs. None if the energy needs more than most_rank.
std::optional<LowRank> truncated_svd(const WeightMatrix& matrix, const Truncation& truncation);

}  // namespace vgg19::converter
