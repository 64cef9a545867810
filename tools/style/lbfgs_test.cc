#include "tools/style/lbfgs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tools/style/adam.h"

using namespace vgg19::tools;

namespace {

/// Rosenbrock's valley in each pair of numbers; the minimum is 0 at ones.
double rosenbrock(std::span<const float> x, std::span<float> gradient) {
    double value = 0;
    for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
        const auto a = static_cast<double>(x[i]);
        const auto b = static_cast<double>(x[i + 1]);
        value += 100 * std::pow(b - a * a, 2) + std::pow(1 - a, 2);
        gradient[i] = static_cast<float>(-400 * a * (b - a * a) - 2 * (1 - a));
        gradient[i + 1] = static_cast<float>(200 * (b - a * a));
    }
    return value;
}

/// Σ (i + 1)·(x_i − i)²
double bowl(std::span<const float> x, std::span<float> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double weight = static_cast<double>(i) + 1;
        const double distance = static_cast<double>(x[i]) - static_cast<double>(i);
        value += weight * distance * distance;
        gradient[i] = static_cast<float>(2 * weight * distance);
    }
    return value;
}

}  // namespace

TEST_CASE("L-BFGS follows Rosenbrock's valley to its end, and knows it") {
    Lbfgs lbfgs(rosenbrock, {-1.2F, 1, -1.2F, 1, 0, 0});
    double before = lbfgs.value();
    std::size_t steps = 0;
    while (steps < 100 && lbfgs.value() > 1e-9) {
        REQUIRE(lbfgs.step());
        CHECK(lbfgs.value() < before);
        before = lbfgs.value();
        ++steps;
    }
    MESSAGE(steps << " steps, " << lbfgs.evaluations() << " evaluations");
    CHECK(steps < 60);
    CHECK(lbfgs.evaluations() < 100);
    for (const float element : lbfgs.x()) CHECK(element == doctest::Approx(1).epsilon(1e-3));
    for (int i = 0; i < 50; ++i) {
        if (!lbfgs.step()) break;
    }
    CHECK_FALSE(lbfgs.step());
}

TEST_CASE("the history is what makes it fast: a bowl that is a hundred times steeper on one side") {
    const std::vector<float> start(100, 5.0F);
    const auto steps_with = [&start](std::size_t history) {
        Lbfgs lbfgs(bowl, start, {.history = history});
        int steps = 0;
        for (; steps < 300 && lbfgs.value() > 1e-3; ++steps) {
            if (!lbfgs.step()) break;
        }
        return steps;
    };
    CHECK(steps_with(20) < 40);
    CHECK(steps_with(20) < steps_with(1));
}

TEST_CASE("a wall of infinite or undefined values is stepped back from") {
    for (const double wall :
         {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        const auto walled = [wall](std::span<const float> x, std::span<float> gradient) {
            const double value = bowl(x, gradient);
            return x[0] < -1 ? wall : value;
        };
        Lbfgs lbfgs(walled, {4, 4, 4}, {.first_change = 100});
        for (int i = 0; i < 30; ++i) {
            if (!lbfgs.step()) break;
        }
        CHECK(lbfgs.value() < 1e-6);
    }
}

TEST_CASE("at a minimum there is no step") {
    Lbfgs lbfgs(bowl, {0, 1, 2});
    CHECK(lbfgs.value() == 0);
    CHECK_FALSE(lbfgs.step());
    CHECK(lbfgs.x() == std::vector<float>{0, 1, 2});
}

TEST_CASE("Adam's first step has the length of the rate, and many steps reach the minimum") {
    Adam adam(bowl, {10, -10, 2}, 0.5);
    CHECK(adam.step() == doctest::Approx(1 * 100 + 2 * 121 + 0));
    CHECK(adam.x()[0] == doctest::Approx(9.5));
    CHECK(adam.x()[1] == doctest::Approx(-9.5));
    CHECK(adam.x()[2] == doctest::Approx(2));
    for (int i = 0; i < 500; ++i) adam.step();
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(adam.x()[i] == doctest::Approx(static_cast<double>(i)).epsilon(1e-2).scale(1));
    }
}
