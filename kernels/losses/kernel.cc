#include <cstddef>

#include "kernels/losses/losses.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

constexpr std::size_t lanes = Vector::width;
using Register = Vector::Register;

/// f(d) and factor · f′(d).
template <bool square>
struct Loss {
    static inline __attribute__((always_inline)) Register value(Register difference) {
        if constexpr (square) return Vector::multiply(difference, difference);
        return Vector::maximum(difference, Vector::subtract(Vector::zero(), difference));
    }
    static inline __attribute__((always_inline)) Register slope(Register difference, Register factor) {
        if constexpr (square) {
            return Vector::multiply(Vector::add(difference, difference), factor);
        }
        const Register zero = Vector::zero();
        return Vector::subtract(Vector::select_lanes(Vector::greater_lanes(difference, zero), factor),
                                Vector::select_lanes(Vector::greater_lanes(zero, difference), factor));
    }
};

template <bool square>
double sum_of_differences(const Difference& problem, std::size_t begin, std::size_t end) {
    const Register factor = Vector::broadcast(problem.factor);
    const auto finish = [&](std::size_t i, std::size_t count, Register difference)
        __attribute__((always_inline)) {
        Register gradient = Loss<square>::slope(difference, factor);
        float* to = problem.gradient + i;
        if (count == lanes) {
            if (problem.adds) gradient = Vector::add(gradient, Vector::load(to));
            Vector::store(to, gradient);
        } else {
            if (problem.adds) gradient = Vector::add(gradient, Vector::load_first(to, count));
            Vector::store_first(to, count, gradient);
        }
    };
    double sum = 0;
    while (begin < end) {
        const std::size_t run_end = end - begin < loss_run ? end : begin + loss_run;
        Register sums[2] = {Vector::zero(), Vector::zero()};
        std::size_t i = begin;
        for (; i + lanes <= run_end; i += lanes) {
            const Register d = Vector::subtract(Vector::load(problem.a + i), Vector::load(problem.b + i));
            Register& partial = sums[i / lanes % 2];
            partial = Vector::add(partial, Loss<square>::value(d));
            if (problem.gradient != nullptr) finish(i, lanes, d);
        }
        if (i < run_end) {
            const std::size_t left = run_end - i;
            const Register d = Vector::subtract(Vector::load_first(problem.a + i, left),
                                                Vector::load_first(problem.b + i, left));
            sums[0] = Vector::add(sums[0], Loss<square>::value(d));
            if (problem.gradient != nullptr) finish(i, left, d);
        }
        sum += double{Vector::total(Vector::add(sums[0], sums[1]))};
        begin = run_end;
    }
    return sum;
}

double absolute(const Difference& problem, std::size_t begin, std::size_t end) {
    return sum_of_differences<false>(problem, begin, end);
}
double squared(const Difference& problem, std::size_t begin, std::size_t end) {
    return sum_of_differences<true>(problem, begin, end);
}

/// Of columns [column, column + count) of a row; `above` and `below` are null at the plane's edges. The
/// first and the last column of the row are among them only with count 1.
template <bool square>
inline __attribute__((always_inline)) Register variation_of(const TotalVariation& problem, const float* row,
                                                            const float* above, const float* below,
                                                            std::size_t column, std::size_t count,
                                                            float* gradient) {
    const Register factor = Vector::broadcast(problem.factor);
    const auto load = [&](const float* from) __attribute__((always_inline)) {
        return count == lanes ? Vector::load(from + column) : Vector::load_first(from + column, count);
    };
    const Register centre = load(row);
    Register value = Vector::zero();
    Register slope = Vector::zero();
    const auto next = [&](const float* from) __attribute__((always_inline)) {
        const Register d = Vector::subtract(load(from), centre);
        value = Vector::add(value, Loss<square>::value(d));
        slope = Vector::subtract(slope, Loss<square>::slope(d, factor));
    };
    const auto previous = [&](const float* from) __attribute__((always_inline)) {
        slope = Vector::add(slope, Loss<square>::slope(Vector::subtract(centre, load(from)), factor));
    };
    if (below != nullptr) next(below);
    if (column + 1 < problem.width) next(row + 1);
    if (gradient == nullptr) return value;
    if (above != nullptr) previous(above);
    if (column > 0) previous(row - 1);
    float* to = gradient + column;
    if (count == lanes) {
        Vector::store(to, problem.adds ? Vector::add(slope, Vector::load(to)) : slope);
    } else {
        Vector::store_first(to, count,
                            problem.adds ? Vector::add(slope, Vector::load_first(to, count)) : slope);
    }
    return value;
}

template <bool square>
double variation_of_row(const TotalVariation& problem, std::size_t row) {
    const std::size_t y = row % problem.height;
    const float* values = problem.values + row * problem.width;
    const float* above = y > 0 ? values - problem.width : nullptr;
    const float* below = y + 1 < problem.height ? values + problem.width : nullptr;
    float* gradient = problem.gradient == nullptr ? nullptr : problem.gradient + row * problem.width;
    double sum = 0;
    Register run = Vector::zero();
    std::size_t in_run = 0;
    for (std::size_t column = 0; column < problem.width;) {
        const std::size_t inner = problem.width - 1 - column;  // before the last column
        const std::size_t count = column == 0 || inner == 0 ? 1 : inner < lanes ? inner : lanes;
        run = Vector::add(run, variation_of<square>(problem, values, above, below, column, count, gradient));
        column += count;
        in_run += count;
        if (in_run < loss_run && column < problem.width) continue;
        sum += double{Vector::total(run)};
        run = Vector::zero();
        in_run = 0;
    }
    return sum;
}

double total_variation(const TotalVariation& problem, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t row = begin; row < end; ++row) {
        sum += problem.squared ? variation_of_row<true>(problem, row) : variation_of_row<false>(problem, row);
    }
    return sum;
}

}  // namespace

const LossKernels losses = {.absolute = absolute, .squared = squared, .total_variation = total_variation};

}  // namespace vgg19::kernels::VGG19_ISA
