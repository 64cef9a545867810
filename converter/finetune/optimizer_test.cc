#include "converter/finetune/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vgg19::converter {

namespace {

/// A tensor and its gradient, which Parameter only refers to.
struct Tensor {
    std::vector<std::size_t> shape;
    std::vector<float> values;
    std::vector<float> gradient;

    Parameter parameter() { return {"tensor", shape, values, gradient, true}; }
};

double root_mean_square(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum / static_cast<double>(values.size()));
}

/// Values of this size, and gradients of many sizes and both signs.
Tensor tensor(std::vector<std::size_t> shape, std::size_t count, float size) {
    Tensor result{std::move(shape), {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
        result.values.push_back(size * (1.0F + static_cast<float>(i % 7)));
        result.gradient.push_back((i % 2 == 0 ? 1.0F : -1.0F) * static_cast<float>(1 + i % 5));
    }
    return result;
}

void step_once(Tensor& tensor, double rate, int threads) {
    const Parameter parameter = tensor.parameter();
    Optimizer optimizer({&parameter, 1}, {.kind = OptimizerKind::relative_adam, .threads = threads});
    optimizer.step(rate);
}

/// Adam's first step is the rate, against the gradient's sign, whatever the gradient's size.
void check_first_step(const Tensor& before, const Tensor& after, std::size_t begin, std::size_t end,
                      double step) {
    CAPTURE(begin);
    for (std::size_t i = begin; i < end; ++i) {
        const double moved = static_cast<double>(after.values[i]) - static_cast<double>(before.values[i]);
        REQUIRE(moved == doctest::Approx(before.gradient[i] > 0 ? -step : step).epsilon(1e-3));
    }
}

}  // namespace

TEST_CASE("Relative steps are shares of the size of each filter of a convolution") {
    constexpr std::size_t filter = 2 * 9;
    Tensor weights = tensor({2, 2, 3, 3}, 2 * filter, 1);
    for (std::size_t i = filter; i < 2 * filter; ++i) weights.values[i] /= 64;
    const Tensor before = weights;
    step_once(weights, 0.01, 2);
    for (std::size_t begin = 0; begin < 2 * filter; begin += filter) {
        const double size = root_mean_square(std::span(before.values).subspan(begin, filter));
        check_first_step(before, weights, begin, begin + filter, 0.01 * size);
    }
}

TEST_CASE(
    "Relative steps of dense weights are shares of the whole tensor's size, for any number of threads") {
    constexpr std::size_t outputs = 300;
    constexpr std::size_t inputs = 500;  // more than a task's part
    Tensor weights = tensor({inputs, outputs}, inputs * outputs, 1);
    for (std::size_t i = 0; i < outputs; ++i) weights.values[i] /= 64;
    const Tensor before = weights;
    Tensor on_one_thread = weights;
    step_once(weights, 0.01, 3);
    check_first_step(before, weights, 0, weights.values.size(), 0.01 * root_mean_square(before.values));
    step_once(on_one_thread, 0.01, 1);
    CHECK(on_one_thread.values == weights.values);
}

TEST_CASE("Tensors of zeros move too") {
    Tensor bias = tensor({64}, 64, 0);
    const Tensor before = bias;
    step_once(bias, 0.01, 1);
    check_first_step(before, bias, 0, bias.values.size(), 0.01 * 1e-3);
}

}  // namespace vgg19::converter
