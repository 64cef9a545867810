#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/relu/relu.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

/// Values of both signs, zeros of both signs among them, and one that is no number.
void fill(GuardedBuffer<float>& values, testing::Random& random) {
    random.fill(values, -1, 1);
    for (std::size_t i = 0; i < values.size(); i += 5) values[i] = i % 2 == 0 ? 0.0F : -0.0F;
    if (values.size() > 3) values[3] = std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

TEST_CASE("ReLU in place, its bits, and its gradient from them, in any ranges") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t size : {16U, 32U, 48U, 272U}) {
        GuardedBuffer<float> values(size);
        fill(values, random);
        const std::vector<float> before(values.begin(), values.end());
        testing::for_each_usable_kernel(relu_kernels(), [&](const auto& kernel) {
            std::copy(before.begin(), before.end(), values.begin());
            GuardedBuffer<std::uint8_t> positive(size / 8);
            GuardedBuffer<float> gradient(size);
            random.fill(gradient, -1, 1);
            const std::vector<float> whole(gradient.begin(), gradient.end());
            for (const std::size_t begin : {std::size_t{16}, std::size_t{0}}) {
                const std::size_t end = begin == 0 ? 16 : size;
                kernel.run->positive(values.data(), begin, end, positive.data());
                kernel.run->gradient(gradient.data(), begin, end, positive.data());
                kernel.run->rectify(values.data(), begin, end);
            }
            for (std::size_t i = 0; i < size; ++i) {
                const bool is_positive = before[i] > 0;
                const int bit = (positive[i / 8] >> (i % 8)) & 1;
                REQUIRE(bit == (is_positive ? 1 : 0));
                REQUIRE(gradient[i] == (is_positive ? whole[i] : 0.0F));
                REQUIRE(values[i] == (is_positive ? before[i] : 0.0F));
            }
        });
    }
}

}  // namespace vgg19::kernels
