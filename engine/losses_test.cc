#include "vgg19/losses.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "engine/testing/error_of.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"

namespace vgg19 {

namespace {

using kernels::testing::isa_names_of_this_cpu;
using testing::Containing;
using testing::error_of;

std::vector<float> random_values(std::size_t size, std::uint32_t draw) {
    kernels::testing::Random random(draw);
    std::vector<float> values(size);
    random.fill(values, -1, 1);
    return values;
}

/// A loss of `values` with its gradient, and its definition in double.
struct Loss {
    std::function<double(const std::vector<float>&, const LossGradient&, const LossOptions&)> value;
    std::function<double(const std::vector<double>&)> definition;
};

/// The definition's gradient by central differences: exact for sums of squares, but for rounding.
std::vector<double> numerical_gradient(const Loss& loss, const std::vector<float>& at) {
    std::vector<double> moved(at.begin(), at.end());
    std::vector<double> gradient;
    constexpr double step = 1e-5;
    for (double& value : moved) {
        const double middle = value;
        value = middle + step;
        const double above = loss.definition(moved);
        value = middle - step;
        gradient.push_back((above - loss.definition(moved)) / (2 * step));
        value = middle;
    }
    return gradient;
}

void check(const Loss& loss, const std::vector<float>& values) {
    const double expected = loss.definition({values.begin(), values.end()});
    const std::vector<double> slopes = numerical_gradient(loss, values);
    double largest = 0;
    for (const double slope : slopes) largest = std::max(largest, std::abs(slope));
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        std::vector<float> first;
        for (const int threads : {1, 2, 5}) {
            const LossOptions options = {.threads = threads, .isa = isa};
            CHECK(loss.value(values, {}, options) == doctest::Approx(expected).epsilon(2e-6));
            std::vector<float> gradient(values.size(), 1.0F);
            CHECK(loss.value(values, {.values = gradient}, options) == loss.value(values, {}, options));
            if (first.empty()) first = gradient;
            CHECK(std::memcmp(gradient.data(), first.data(), gradient.size() * sizeof(float)) == 0);
            std::vector<float> added(values.size(), 1.0F);
            loss.value(values, {.values = added, .adds = true}, options);
            for (std::size_t i = 0; i < gradient.size(); ++i) {
                REQUIRE(std::abs(double{gradient[i]} - slopes[i]) <= 1e-5 * largest);
                REQUIRE(added[i] == doctest::Approx(double{gradient[i]} + 1).epsilon(1e-6));
            }
        }
    }
}

/// Of [batch][channels][pixels], divided by channels · pixels.
std::vector<double> gram_definition(const std::vector<double>& x, const FeatureShape& shape) {
    std::vector<double> gram(shape.gram_size());
    const std::size_t c = shape.channels;
    for (std::size_t i = 0; i < gram.size(); ++i) {
        const std::size_t image = i / (c * c) * c;
        const double* a = x.data() + (image + i / c % c) * shape.pixels;
        const double* b = x.data() + (image + i % c) * shape.pixels;
        for (std::size_t p = 0; p < shape.pixels; ++p) gram[i] += a[p] * b[p];
        gram[i] /= static_cast<double>(c * shape.pixels);
    }
    return gram;
}

}  // namespace

TEST_CASE("L1 and L2 losses are the weighted means, with their gradients") {
    const std::vector<float> target = random_values(601, 1);
    const auto mean = [&](const std::vector<double>& x, bool square) {
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double d = x[i] - double{target[i]};
            sum += square ? d * d : std::abs(d);
        }
        return 3 * sum / static_cast<double>(x.size());
    };
    const std::vector<float> features = random_values(601, 2);
    check({[&](const auto& x, const auto& to, const auto& how) { return l1_loss(x, target, 3, to, how); },
           [&](const auto& x) { return mean(x, false); }},
          features);
    check({[&](const auto& x, const auto& to, const auto& how) { return l2_loss(x, target, 3, to, how); },
           [&](const auto& x) { return mean(x, true); }},
          features);
}

TEST_CASE("the gradient of the L1 loss is zero where features are the target, and may take their place") {
    std::vector<float> features = random_values(5000, 1);
    std::vector<float> target = features;
    for (std::size_t i = 0; i < target.size(); i += 2) target[i] += i % 4 == 0 ? 1.0F : -1.0F;
    CHECK(l1_loss(features, target, 5000, {.values = features}) == doctest::Approx(2500));
    for (std::size_t i = 0; i < target.size(); ++i) {
        REQUIRE(features[i] == (i % 2 == 1 ? 0.0F : i % 4 == 0 ? -1.0F : 1.0F));
    }
}

TEST_CASE("Gram matrices are the definition's, on every ISA and number of threads") {
    const FeatureShape shape = {.batch = 2, .channels = 19, .pixels = 83};
    const std::vector<float> features = random_values(shape.size(), 1);
    const std::vector<double> expected = gram_definition({features.begin(), features.end()}, shape);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        std::vector<float> first;
        for (const int threads : {1, 3}) {
            std::vector<float> gram(shape.gram_size());
            gram_matrix(features, shape, gram, {.threads = threads, .isa = isa});
            if (first.empty()) first = gram;
            CHECK(gram == first);
            for (std::size_t i = 0; i < gram.size(); ++i) {
                REQUIRE(std::abs(double{gram[i]} - expected[i]) < 1e-7);
            }
        }
    }
}

TEST_CASE("the Gram loss is the mean of squares, with its gradient") {
    const FeatureShape shape = {.batch = 2, .channels = 7, .pixels = 30};
    const std::vector<float> target = random_values(shape.gram_size(), 3);  // not even symmetric
    check({[&](const auto& x, const auto& to, const auto& how) {
               return gram_loss(x, shape, target, 100, to, how);
           },
           [&](const auto& x) {
               const std::vector<double> gram = gram_definition(x, shape);
               double sum = 0;
               for (std::size_t i = 0; i < gram.size(); ++i) sum += std::pow(gram[i] - double{target[i]}, 2);
               return 100 * sum / static_cast<double>(gram.size());
           }},
          random_values(shape.size(), 4));
}

TEST_CASE("total variation is the sum over neighbours, with its gradient") {
    const PictureShape shape = {.planes = 3, .height = 9, .width = 21};
    for (const Variation variation : {Variation::absolute, Variation::squared}) {
        const auto f = [&](double d) { return variation == Variation::absolute ? std::abs(d) : d * d; };
        check({[&](const auto& x, const auto& to, const auto& how) {
                   return total_variation(x, shape, variation, 0.25F, to, how);
               },
               [&](const auto& x) {
                   double sum = 0;
                   for (std::size_t i = 0; i < x.size(); ++i) {
                       if (i % 21 < 20) sum += f(x[i + 1] - x[i]);
                       if (i / 21 % 9 < 8) sum += f(x[i + 21] - x[i]);
                   }
                   return sum / 4;
               }},
              random_values(shape.size(), 5));
    }
}

TEST_CASE("losses say what is wrong with their arguments") {
    std::vector<float> eight(8);
    std::vector<float> nine(9);
    const auto error = [](const std::function<void()>& action) { return error_of(ErrorKind::usage, action); };
    CHECK(error([&] { l1_loss(eight, nine); }) == Containing("target: expected 8 values, found 9"));
    CHECK(error([&] { l2_loss({}, {}); }) == Containing("found none"));
    CHECK(error([&] { l2_loss(eight, eight, 1, {.values = nine}); }) == Containing("gradient: expected 8"));
    std::vector<float> target(8);
    CHECK(error([&] { l1_loss(eight, target, 1, {.values = target}); }) == Containing("the target"));
    CHECK(error([&] { l1_loss(eight, target, 1, {.values = eight, .adds = true}); }) ==
          Containing("cannot be added"));
    CHECK(error([&] { l1_loss(eight, target, 1, {}, {.isa = "none"}); }) == Containing("isa: expected one"));
    CHECK(error([&] { l1_loss(eight, target, 1, {}, {.threads = -1}); }) == Containing("threads"));
    const FeatureShape shape = {.batch = 1, .channels = 2, .pixels = 4};
    CHECK(error([&] { gram_matrix(eight, shape, nine); }) == Containing("gram: expected 4 values"));
    CHECK(error([&] { gram_matrix(nine, shape, eight); }) == Containing("features: expected 8 values"));
    CHECK(error([&] { gram_loss(eight, shape, std::span(nine).first(4), 1, {.values = eight}); }) ==
          Containing("the features"));
    CHECK(error([&] {
              total_variation(eight, {1, 2, 4}, Variation::squared, 1, {.values = eight});
          }) == Containing("the picture"));
    CHECK(error([&] { total_variation(eight, {1, 3, 4}); }) == Containing("picture: expected 12 values"));
    CHECK(error([&] {
              feature_shape({.name = "fc7", .shape = {1, 4096}});
          }) == Containing("fc7: expected an output of four dimensions, found 2"));
    CHECK(feature_shape({.name = "relu1_1", .shape = {2, 64, 5, 7}}).gram_size() == 2 * 64 * 64);
}

}  // namespace vgg19
