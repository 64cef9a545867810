// The output transform of F(4×4, 3×3) on complex points, over a vector type (kernels/simd/vector.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/complex_points.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Handles one vector of output channels of a tile.
template <class Vector>
class OutputTransformF4x4 {
  public:
    static constexpr WinogradInt8Tile tile = WinogradInt8Tile::f4x4;
    static constexpr std::size_t side = winograd_int8_tile_side(tile);
    using Register = typename Vector::Register;
    using Pixels = std::array<std::array<Register, side>, side>;

    OutputTransformF4x4(const WinogradInt8& problem, std::size_t first_channel)
        : bias_(Vector::load(problem.bias + first_channel)),
          multipliers_(problem.multiplier + first_channel),
          channels_(problem.padded_output_channels()) {}

    /// `first` points to the tile's product at the first position.
    inline __attribute__((always_inline)) Pixels pixels(const std::int32_t* first, std::size_t stride) const {
        const Products products = {first, stride};
        std::array<Row, complex_points::real_points> z{};
        unrolled<complex_points::real_points>([&](auto r) __attribute__((always_inline)) {
            z[r] = real_row<r>(products);
        });
        const ComplexRow complex = complex_row(products);
        Pixels y{};
        unrolled<side>([&](auto column) __attribute__((always_inline)) {
            const Register p = Vector::add(z[1][column], z[2][column]);
            const Register q = Vector::subtract(z[1][column], z[2][column]);
            const Register real = complex.real[column];
            const Register imaginary = complex.imaginary[column];
            y[0][column] = Vector::add(Vector::add(z[0][column], p), real);
            y[1][column] = Vector::subtract(q, imaginary);
            y[2][column] = Vector::subtract(p, real);
            y[3][column] = Vector::add(Vector::add(q, imaginary), z[3][column]);
        });
        return y;
    }

  private:
    using Row = std::array<Register, side>;
    struct Complex {
        Register real;
        Register imaginary;
    };
    struct ComplexRow {
        Row real;
        Row imaginary;
    };

    /// Those of a tile, by position.
    struct Products {
        const std::int32_t* first;
        std::size_t stride;
    };

    /// A product and its multiplier.
    struct Factors {
        Register x;
        Register k;
    };
    inline __attribute__((always_inline)) Factors at(Products products, std::size_t position) const {
        return {Vector::load_converted(products.first + position * products.stride),
                Vector::load(multipliers_ + position * channels_)};
    }
    static inline __attribute__((always_inline)) Register add_product(Register sum, Factors factors) {
        return Vector::fused_multiply_add(factors.x, factors.k, sum);
    }
    static inline __attribute__((always_inline)) Register subtract_product(Register sum, Factors factors) {
        return Vector::fused_subtract_product(sum, factors.x, factors.k);
    }

    /// R and I.
    inline __attribute__((always_inline)) Complex complex_product(Products products,
                                                                  std::size_t position) const {
        const Factors first = at(products, position);
        const Factors second = at(products, position + 1);
        const Register m = Vector::multiply(first.x, first.k);
        return {subtract_product(m, second), add_product(add_product(m, second), at(products, position + 2))};
    }

    template <std::size_t r>
    inline __attribute__((always_inline)) Row real_row(Products products) const {
        using namespace complex_points;
        const Factors one = at(products, real(r, 1));
        const Factors minus_one = at(products, real(r, 2));
        const Register m = r == 1 ? add_product(bias_, one) : Vector::multiply(one.x, one.k);
        const Register p = add_product(m, minus_one);
        const Register q = subtract_product(m, minus_one);
        const Complex c = complex_product(products, complex_column(r));
        return {Vector::add(add_product(p, at(products, real(r, 0))), c.real),
                Vector::subtract(q, c.imaginary), Vector::subtract(p, c.real),
                Vector::add(add_product(q, at(products, real(r, 3))), c.imaginary)};
    }

    inline __attribute__((always_inline)) ComplexRow complex_row(Products products) const {
        const auto w = [&](std::size_t s) __attribute__((always_inline)) {
            return complex_product(products, complex_points::complex_row(s));
        };
        const Complex both = complex_product(products, complex_points::both_complex);
        const Complex conjugates = complex_product(products, complex_points::conjugates);
        const Complex sum = add(both, conjugates);
        const Complex difference = subtract(both, conjugates);
        const Complex one = w(1);
        const Complex minus_one = w(2);
        const Complex p = add(one, minus_one);
        const Complex q = subtract(one, minus_one);
        const Complex first = add(add(w(0), p), sum);
        const Complex third = subtract(p, sum);
        const Complex infinity = w(3);
        return {
            {first.real, Vector::subtract(q.real, difference.imaginary), third.real,
             Vector::add(Vector::add(q.real, difference.imaginary), infinity.real)},
            {first.imaginary, Vector::add(q.imaginary, difference.real), third.imaginary,
             Vector::add(Vector::subtract(q.imaginary, difference.real), infinity.imaginary)},
        };
    }

    static inline __attribute__((always_inline)) Complex add(Complex a, Complex b) {
        return {Vector::add(a.real, b.real), Vector::add(a.imaginary, b.imaginary)};
    }
    static inline __attribute__((always_inline)) Complex subtract(Complex a, Complex b) {
        return {Vector::subtract(a.real, b.real), Vector::subtract(a.imaginary, b.imaginary)};
    }

    Register bias_;
    const float* multipliers_;
    std::size_t channels_;
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
