#include "kernels/reference/winograd_int8_tiles.h"

#include <array>
#include <cmath>
#include <complex>
#include <cstddef>

#include "kernels/winograd_int8/complex_points.h"

namespace vgg19::kernels {

namespace {

using namespace complex_points;

/// One dimension of Bᵀ d of F(2×2), in place: four values, `step` apart.
void transform_four(std::int32_t* d, std::size_t step) {
    const std::array<std::int32_t, 4> old = {d[0], d[step], d[2 * step], d[3 * step]};
    d[0] = old[0] - old[2];
    d[step] = old[1] + old[2];
    d[2 * step] = old[2] - old[1];
    d[3 * step] = old[1] - old[3];
}

/// B of one pixel's place in a row or column of six, at the points 0, 1, −1, ∞, i, −i.
using Integers = std::complex<double>;  // exact for integers
constexpr std::size_t points = 6;
constexpr std::size_t at_i = 4;
constexpr std::size_t at_minus_i = 5;
Integers input_factor(std::size_t point, std::size_t place) {
    static const std::array<std::array<Integers, points>, points> factors = {{
        {1, 0, 0, 0, -1, 0},
        {0, 1, 1, 1, 1, 0},
        {0, -1, 1, -1, 1, 0},
        {0, -1, 0, 0, 0, 1},
        {0, {0, -1}, -1, {0, 1}, 1, 0},
        {0, {0, 1}, -1, {0, -1}, 1, 0},
    }};
    return factors[point][place];
}

Integers transformed(const std::vector<std::int32_t>& pixels, std::size_t row_point,
                     std::size_t column_point) {
    Integers sum = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        sum += input_factor(row_point, i / points) * input_factor(column_point, i % points) *
               static_cast<double>(pixels[i]);
    }
    return sum;
}

struct Complex {
    float real;
    float imaginary;
};
Complex operator+(Complex a, Complex b) {
    return {a.real + b.real, a.imaginary + b.imaginary};
}
Complex operator-(Complex a, Complex b) {
    return {a.real - b.real, a.imaginary - b.imaginary};
}

float add_product(const ReferenceProducts& products, std::size_t position, float sum) {
    return std::fma(products.x[position], products.k[position], sum);
}
float subtract_product(const ReferenceProducts& products, std::size_t position, float sum) {
    return std::fma(-products.x[position], products.k[position], sum);
}

Complex complex_product(const ReferenceProducts& products, std::size_t first) {
    const float m = products.x[first] * products.k[first];
    return {subtract_product(products, first + 1, m),
            add_product(products, first + 2, add_product(products, first + 1, m))};
}

std::array<float, 4> real_row(const ReferenceProducts& products, std::size_t r) {
    const std::size_t one = real(r, 1);
    const float m = r == 1 ? add_product(products, one, products.bias) : products.x[one] * products.k[one];
    const float p = add_product(products, real(r, 2), m);
    const float q = subtract_product(products, real(r, 2), m);
    const Complex c = complex_product(products, complex_column(r));
    return {add_product(products, real(r, 0), p) + c.real, q - c.imaginary, p - c.real,
            add_product(products, real(r, 3), q) + c.imaginary};
}

std::array<Complex, 4> complex_row_of(const ReferenceProducts& products) {
    std::array<Complex, real_points> w{};
    for (std::size_t s = 0; s < real_points; ++s) w[s] = complex_product(products, complex_row(s));
    const Complex both = complex_product(products, both_complex);
    const Complex conjugate = complex_product(products, conjugates);
    const Complex sum = both + conjugate;
    const Complex difference = both - conjugate;
    const Complex p = w[1] + w[2];
    const Complex q = w[1] - w[2];
    const Complex second = {q.real - difference.imaginary, q.imaginary + difference.real};
    const Complex fourth = {q.real + difference.imaginary, q.imaginary - difference.real};
    return {(w[0] + p) + sum, second, p - sum, fourth + w[3]};
}

}  // namespace

std::vector<std::int32_t> reference_input_f2x2(const std::vector<std::int32_t>& pixels) {
    std::vector<std::int32_t> values = pixels;
    for (std::size_t column = 0; column < 4; ++column) transform_four(&values[column], 4);
    for (std::size_t row = 0; row < 4; ++row) transform_four(&values[row * 4], 1);
    return values;
}

std::vector<std::int32_t> reference_input_f4x4(const std::vector<std::int32_t>& pixels) {
    std::vector<std::int32_t> values(conjugates + parts);
    const auto set_complex = [&](std::size_t first, Integers value) {
        const auto a = static_cast<std::int32_t>(value.real());
        const auto b = static_cast<std::int32_t>(value.imag());
        values[first] = a;
        values[first + 1] = b;
        values[first + 2] = a - b;
    };
    for (std::size_t r = 0; r < real_points; ++r) {
        for (std::size_t s = 0; s < real_points; ++s) {
            values[real(r, s)] = static_cast<std::int32_t>(transformed(pixels, r, s).real());
        }
        set_complex(complex_column(r), transformed(pixels, r, at_i));
        set_complex(complex_row(r), transformed(pixels, at_i, r));
    }
    set_complex(both_complex, transformed(pixels, at_i, at_i));
    set_complex(conjugates, transformed(pixels, at_i, at_minus_i));
    return values;
}

std::vector<float> reference_output_f2x2(const ReferenceProducts& products) {
    const std::array<float, 4> start = {products.bias, 0.0F, 0.0F, 0.0F - products.bias};
    std::array<std::array<float, 4>, 2> t{};
    for (std::size_t j = 0; j < 4; ++j) {
        const float a = add_product(products, 4 + j, start[j]);
        t[0][j] = add_product(products, j, add_product(products, 8 + j, a));
        t[1][j] = subtract_product(products, 12 + j, subtract_product(products, 8 + j, a));
    }
    return {t[0][0] + (t[0][1] + t[0][2]), (t[0][1] - t[0][2]) - t[0][3], t[1][0] + (t[1][1] + t[1][2]),
            (t[1][1] - t[1][2]) - t[1][3]};
}

std::vector<float> reference_output_f4x4(const ReferenceProducts& products) {
    std::array<std::array<float, 4>, real_points> z{};
    for (std::size_t r = 0; r < real_points; ++r) z[r] = real_row(products, r);
    const std::array<Complex, 4> complex = complex_row_of(products);
    std::vector<float> y(16);
    for (std::size_t column = 0; column < 4; ++column) {
        const float p = z[1][column] + z[2][column];
        const float q = z[1][column] - z[2][column];
        y[column] = (z[0][column] + p) + complex[column].real;
        y[4 + column] = q - complex[column].imaginary;
        y[8 + column] = p - complex[column].real;
        y[12 + column] = (q + complex[column].imaginary) + z[3][column];
    }
    return y;
}

}  // namespace vgg19::kernels
