"""Chooses the interpolation points of kernels/winograd/matrices.h: the simple fractions with the smallest error.

    python choose_points.py        needs numpy

Simulates F(m×m, 3×3) in FP32 on random tiles after a ReLU and Kaiming weights, against direct convolution in double, and prints the
relative L2 error of each choice, the best first.
"""
import itertools

import numpy as np

CHANNELS, TILES, OUTPUTS = 64, 8, 8


def matrices(points, m):
    n = m + 2
    output, filter, input = np.zeros((m, n)), np.zeros((n, 3)), np.zeros((n, n))
    for i, x in enumerate(points):
        others = [y for j, y in enumerate(points) if j != i]
        output[:, i] = [x**k for k in range(m)]
        filter[i] = [x**k / np.prod([x - y for y in others]) for k in range(3)]
        coefficients = np.poly(others)[::-1]
        input[i, : len(coefficients)] = coefficients
    output[m - 1, n - 1] = filter[n - 1, 2] = 1
    input[n - 1] = np.poly(points)[::-1]
    return output, filter, input


def amplification(points, m):
    """Rounding errors relative to those of direct convolution, as kernels/winograd/error.h computes them."""
    output, filter, input = matrices(points, m)
    return np.sqrt(((output**2) * ((input**2).sum(1) * (filter**2).sum(1))).sum() / (3 * m))


def points_of(pairs, single=()):
    return [0.0] + [sign * p for p in pairs for sign in (1, -1)] + list(single)


def relative_error(positive_points, m):
    points = points_of(positive_points)
    output, filter, input = matrices(points, m)
    generator, n = np.random.default_rng(0), m + 2
    tiles = np.maximum(generator.standard_normal((TILES, CHANNELS, n, n)), 0).astype(np.float32)
    weights = (generator.standard_normal((OUTPUTS, CHANNELS, 3, 3)) * np.sqrt(2 / (9 * CHANNELS))).astype(np.float32)
    both = lambda matrix, x: np.einsum("...ik,lk->...il", np.einsum("ij,...jk->...ik", matrix, x).astype(np.float32), matrix)
    transformed = both(input.astype(np.float32), tiles).astype(np.float32)
    filters = np.einsum("ij,ocjk,lk->ocil", filter, weights.astype(np.float64), filter).astype(np.float32)
    products = np.zeros((TILES, OUTPUTS, n, n), np.float32)
    for channel in range(CHANNELS):
        products += transformed[:, None, channel] * filters[None, :, channel]
    found = both(output.astype(np.float32), products)
    expected = sum(
        np.einsum("tcij,oc->toij", tiles[:, :, r : r + m, s : s + m].astype(np.float64), weights[:, :, r, s].astype(np.float64))
        for r in range(3)
        for s in range(3)
    )
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def main():
    fractions = [k / 8 for k in range(3, 25)]
    for m, candidates in ((2, fractions), (4, fractions), (6, [k / 8 for k in (3, 4, 5, 6, 8, 9, 12, 14, 16)])):
        choices = sorted((relative_error(points, m), points) for points in itertools.combinations(candidates, m // 2))
        print(f"F({m}, 3):", ", ".join(f"±{' ±'.join(map(str, points))} {error:.2e}" for error, points in choices[:5]))


    # For these sides the simulation would take too long.
    eighths = [k / 8 for k in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 32)]
    for m, singles in ((7, [(p,) for p in eighths]), (8, [()])):
        choices = sorted(
            (amplification(points_of(pairs, single), m), pairs, single)
            for pairs in itertools.combinations(eighths, m // 2)
            for single in singles
            if not set(single) & set(pairs)
        )
        print(f"F({m}, 3):", ", ".join(f"±{' ±'.join(map(str, pairs + single))} {factor:.2f}" for factor, pairs, single in choices[:5]))


if __name__ == "__main__":
    main()
