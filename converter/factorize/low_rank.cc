#include "converter/factorize/low_rank.h"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
using ConstFloats = Eigen::Map<const Eigen::MatrixXf, 0, Strides>;
using Floats = Eigen::Map<Eigen::MatrixXf, 0, Strides>;

/// Block sizes; they also fix the order of summation.
constexpr Index tile_rows = 256;
constexpr Index tile_columns = 1024;
constexpr Index vectors_a_task = 64;

Strides strides(Index rows, Index columns, bool row_major) {
    return row_major ? Strides(1, columns) : Strides(rows, 1);
}

/// The matrix or its transpose, so that it has at least as many columns as rows.
struct WideMatrix {
    explicit WideMatrix(const WeightMatrix& matrix)
        : transposed(matrix.outputs > matrix.inputs),
          row_major(matrix.input_major == transposed),
          rows(static_cast<Index>(std::min(matrix.outputs, matrix.inputs))),
          columns(static_cast<Index>(std::max(matrix.outputs, matrix.inputs))),
          values(matrix.values, rows, columns, strides(rows, columns, row_major)) {}

    MatrixXd block(Index row, Index column) const {
        return values
            .block(row, column, std::min(tile_rows, rows - row), std::min(tile_columns, columns - column))
            .cast<double>();
    }

    bool transposed;
    bool row_major;
    Index rows;
    Index columns;
    ConstFloats values;
};

template <class Body>
void parallel(std::size_t tasks, Body body) {
    kernels::parallel_for(kernels::available_cpus(), tasks,
                          [&](std::size_t task) { body(static_cast<Index>(task)); });
}

std::size_t blocks_of(Index size, Index block) {
    return static_cast<std::size_t>((size + block - 1) / block);
}

/// M·Mᵀ, tile by tile.
MatrixXd gram_matrix(const WideMatrix& matrix) {
    std::vector<std::pair<Index, Index>> tiles;
    for (Index i = 0; i < matrix.rows; i += tile_rows) {
        for (Index j = 0; j <= i; j += tile_rows) tiles.emplace_back(i, j);
    }
    MatrixXd gram(matrix.rows, matrix.rows);
    parallel(tiles.size(), [&](Index task) {
        const auto [i, j] = tiles[static_cast<std::size_t>(task)];
        MatrixXd sum =
            MatrixXd::Zero(std::min(tile_rows, matrix.rows - i), std::min(tile_rows, matrix.rows - j));
        for (Index column = 0; column < matrix.columns; column += tile_columns) {
            sum.noalias() += matrix.block(i, column) * matrix.block(j, column).transpose();
        }
        gram.block(i, j, sum.rows(), sum.cols()) = sum;
        if (i != j) gram.block(j, i, sum.cols(), sum.rows()) = sum.transpose();
    });
    return gram;
}

MatrixXd product(const MatrixXd& gram, const MatrixXd& vectors) {
    MatrixXd result(gram.rows(), vectors.cols());
    parallel(blocks_of(vectors.cols(), vectors_a_task), [&](Index task) {
        const Index begin = task * vectors_a_task;
        const Index count = std::min(vectors_a_task, vectors.cols() - begin);
        result.middleCols(begin, count).noalias() = gram * vectors.middleCols(begin, count);
    });
    return result;
}

MatrixXd random_vectors(Index rows, Index columns) {
    std::mt19937_64 engine;  // the same numbers in every run
    return MatrixXd::NullaryExpr(rows, columns, [&engine](Index, Index) {
        return static_cast<double>(engine() >> 11U) * 0x1p-52 - 1;
    });
}

MatrixXd orthonormal(const MatrixXd& vectors) {
    const Eigen::HouseholderQR<MatrixXd> decomposition(vectors);
    return decomposition.householderQ() * MatrixXd::Identity(vectors.rows(), vectors.cols());
}

/// Eigenvalues in decreasing order (the squared singular values), and their eigenvectors.
struct Spectrum {
    VectorXd values;
    MatrixXd vectors;

    void keep(Index rank) {
        values = values.head(rank).cwiseMax(0).eval();
        vectors = vectors.leftCols(rank).eval();
    }
};

Spectrum descending(const Eigen::SelfAdjointEigenSolver<MatrixXd>& solver) {
    return {solver.eigenvalues().reverse(), solver.eigenvectors().rowwise().reverse()};
}

/// The leading `rank` eigenpairs.
Spectrum leading_spectrum(const MatrixXd& gram, Index rank) {
    constexpr double least_gain = 1e-4;  // of the squared error
    constexpr double rounding = 1e-14;   // relative to the trace: no further improvement is possible
    constexpr int most_iterations = 60;
    const Index size = rank + std::max<Index>(16, rank / 8);  // additional vectors speed up convergence
    Spectrum spectrum;
    if (size * 2 >= gram.rows()) {
        spectrum = descending(Eigen::SelfAdjointEigenSolver<MatrixXd>(gram));
    } else {
        const double trace = gram.trace();
        MatrixXd basis = orthonormal(product(gram, random_vectors(gram.rows(), size)));
        double captured = 0;
        for (int iteration = 0; iteration < most_iterations; ++iteration) {
            const MatrixXd image = product(gram, basis);
            const Eigen::SelfAdjointEigenSolver<MatrixXd> ritz(basis.transpose() * image);
            spectrum = descending(ritz);
            const double before = std::exchange(captured, spectrum.values.head(rank).sum());
            const double error = trace - captured;
            spectrum.vectors = basis * spectrum.vectors;
            if (captured - before <= least_gain * error || error <= rounding * trace) break;
            basis = orthonormal(image);
        }
    }
    spectrum.keep(rank);
    return spectrum;
}

/// The fewest leading eigenpairs that hold this share of the trace; none if most_rank of them hold less.
std::optional<Spectrum> spectrum_of_energy(const MatrixXd& gram, const Truncation& truncation) {
    const auto most = std::min(static_cast<Index>(truncation.most_rank), gram.rows());
    const double wanted = truncation.energy * gram.trace();
    constexpr Index first_guess = 64;
    for (Index guess = std::min(first_guess, most); guess > 0; guess = std::min(4 * guess, most)) {
        Spectrum spectrum = leading_spectrum(gram, guess);
        double captured = 0;
        for (Index rank = 1; rank <= guess; ++rank) {
            captured += spectrum.values(rank - 1);
            if (captured < wanted) continue;
            spectrum.keep(rank);
            return spectrum;
        }
        if (guess == most) break;
    }
    return {};
}

LowRank factors(const WideMatrix& matrix, const Spectrum& spectrum, double trace) {
    const Index rank = spectrum.values.size();
    LowRank result{
        .rank = static_cast<std::size_t>(rank),
        .relative_error = trace > 0 ? std::sqrt(std::max(1 - spectrum.values.sum() / trace, 0.0)) : 0,
        .first = {},
        .second = {}};
    std::vector<float>& tall = matrix.transposed ? result.first : result.second;
    std::vector<float>& wide = matrix.transposed ? result.second : result.first;
    tall.resize(static_cast<std::size_t>(matrix.rows * rank));
    wide.resize(static_cast<std::size_t>(rank * matrix.columns));
    Floats tall_map(tall.data(), matrix.rows, rank, strides(matrix.rows, rank, matrix.row_major));
    Floats wide_map(wide.data(), rank, matrix.columns, strides(rank, matrix.columns, matrix.row_major));

    // σ is the square root of an eigenvalue. A projection uᵀ·W has norm σ, so it is divided by √σ.
    const VectorXd root = spectrum.values.cwiseSqrt().cwiseSqrt();
    const VectorXd inverse = root.unaryExpr([](double value) { return value > 0 ? 1 / value : 0; });
    tall_map = (spectrum.vectors * root.asDiagonal()).cast<float>();
    const MatrixXd projection = inverse.asDiagonal() * spectrum.vectors.transpose();
    parallel(blocks_of(matrix.columns, tile_columns), [&](Index task) {
        const Index column = task * tile_columns;
        const Index count = std::min(tile_columns, matrix.columns - column);
        MatrixXd sum = MatrixXd::Zero(rank, count);
        for (Index row = 0; row < matrix.rows; row += tile_rows) {
            const MatrixXd block = matrix.block(row, column);
            sum.noalias() += projection.middleCols(row, block.rows()) * block;
        }
        wide_map.middleCols(column, count) = sum.cast<float>();
    });
    return result;
}

}  // namespace

std::optional<LowRank> truncated_svd(const WeightMatrix& matrix, const Truncation& truncation) {
    const WideMatrix wide(matrix);
    const MatrixXd gram = gram_matrix(wide);
    std::optional<Spectrum> spectrum;
    if (truncation.rank > 0) {
        spectrum = leading_spectrum(gram, static_cast<Index>(truncation.rank));
    } else {
        spectrum = spectrum_of_energy(gram, truncation);
    }
    if (!spectrum) return {};
    return factors(wide, *spectrum, gram.trace());
}

}  // namespace vgg19::converter
