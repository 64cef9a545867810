#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/softmax/softmax.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

std::vector<double> expected(const std::vector<float>& logits) {
    const double maximum = *std::max_element(logits.begin(), logits.end());
    std::vector<double> result(logits.begin(), logits.end());
    for (double& value : result) value = std::exp(value - maximum);
    const double sum = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& probability : result) probability /= sum;
    return result;
}

void check_close(const GuardedBuffer<float>& probabilities, const std::vector<double>& reference) {
    for (std::size_t i = 0; i < reference.size(); ++i) {
        CAPTURE(i);
        const double bound = reference[i] > 1e-30 ? 1e-6 * reference[i] : 1e-30;
        REQUIRE(std::abs(double{probabilities[i]} - reference[i]) <= bound);
    }
}

void check(const std::vector<float>& logits, testing::Golden* golden = nullptr) {
    const std::vector<double> reference = expected(logits);
    for (const auto& kernel : softmax_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        GuardedBuffer<float> input(logits.size());
        GuardedBuffer<float> output(logits.size());
        std::copy(logits.begin(), logits.end(), input.begin());
        kernel.run(input.data(), logits.size(), output.data());
        check_close(output, reference);
        if (golden != nullptr) golden->add(kernel.name, output);
        kernel.run(input.data(), logits.size(), input.data());  // in place
        check_close(input, reference);
    }
}

}  // namespace

TEST_CASE("softmax equals the definition at every size") {
    testing::Golden golden("softmax");
    testing::Random random;
    INFO(random.replay());
    for (std::size_t size = 1; size < 70; ++size) {
        CAPTURE(size);
        std::vector<float> logits(size);
        random.fill(logits, -10, 20);
        check(logits, &golden);
        logits.back() = 30;  // the maximum comes last, in the part that does not fill a register
        check(logits, &golden);
    }
    // A wide range: the difference of the logits exceeds a float's range.
    std::vector<float> logits(1000);
    random.fill(logits, -40, 33);
    check(logits, &golden);
    golden.check();
}

TEST_CASE("softmax of large, equal and very different logits") {
    check({std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(), 0});
    check({-1e30F, -1e30F, -1e30F, -1e30F, -1e30F});
    check(std::vector<float>(1000, 88.0F));
    check({-3});
    std::vector<float> steps(1500);
    for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = -0.5F * static_cast<float>(i);
    check(steps);
}

TEST_CASE("softmax of nothing touches nothing") {
    for (const auto& kernel : softmax_kernels()) {
        if (cpu_supports(kernel.isa)) kernel.run(nullptr, 0, nullptr);
    }
}

TEST_CASE("the top of equal values goes to the lower index") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t size : {1U, 2U, 5U, 40U}) {
        std::vector<float> values(size);
        for (float& value : values) value = static_cast<float>(random.integer(-3, 3));
        std::vector<std::size_t> sorted(size);
        std::iota(sorted.begin(), sorted.end(), std::size_t{0});
        std::stable_sort(sorted.begin(), sorted.end(),
                         [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
        for (std::size_t top = 0; top <= size; ++top) {
            GuardedBuffer<std::size_t> indices(top);
            top_k(values.data(), size, top, indices.data());
            REQUIRE(std::equal(indices.begin(), indices.end(), sorted.begin()));
        }
    }
}

}  // namespace vgg19::kernels
