#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/layout/layout.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

constexpr float untouched = -77;

std::size_t plain_size(const LayoutShape& shape) {
    return shape.batch * shape.channels * shape.pixels;
}
std::size_t size_of_blocked(const LayoutShape& shape) {
    return blocked_size(shape.batch, shape.channels, 1, shape.pixels, shape.block);
}
/// The place of plain value i in the blocked layout.
std::size_t place_of(const LayoutShape& shape, std::size_t i) {
    const std::size_t plane = i / shape.pixels;
    return blocked_index(shape.channels, 1, shape.pixels, shape.block, plane / shape.channels,
                         plane % shape.channels, 0, i % shape.pixels);
}

/// Later pieces first, as threads might do.
template <class Run, class Problem>
void run_in_two_calls(Run* run, const Problem& problem) {
    const std::size_t pieces = problem.shape.pieces();
    run(problem, pieces / 3, pieces);
    run(problem, 0, pieces / 3);
}

void check_to_plain(const LayoutKernels& kernel, const LayoutShape& shape, testing::Random& random) {
    GuardedBuffer<float> blocked(size_of_blocked(shape));
    random.fill(blocked, -1, 1);
    for (const bool past_caches : {false, true}) {
        // At addresses that are and are not multiples of a cache line.
        for (const std::size_t offset : {std::size_t{0}, std::size_t{4}, std::size_t{9}}) {
            CAPTURE(past_caches);
            CAPTURE(offset);
            GuardedBuffer<float> plain(plain_size(shape) + offset);
            std::fill(plain.begin(), plain.end(), untouched);
            float* first = plain.data() + (offset == 4 ? 0 : offset);
            const float scale = offset == 9 ? 0.5F : 1.0F;
            run_in_two_calls(kernel.to_plain, BlockedToPlain{.shape = shape,
                                                             .scale = scale,
                                                             .past_caches = past_caches,
                                                             .blocked = blocked.data(),
                                                             .plain = first});
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < plain_size(shape); ++i) {
                if (first[i] != blocked[place_of(shape, i)] * scale) ++wrong;
            }
            CHECK(wrong == 0);
            CHECK(std::count(plain.data(), plain.data() + plain.size(), untouched) ==
                  static_cast<std::ptrdiff_t>(offset));
        }
    }
}

void check_to_blocked(const LayoutKernels& kernel, const LayoutShape& shape, testing::Random& random) {
    GuardedBuffer<float> plain(plain_size(shape));
    GuardedBuffer<std::uint8_t> positive(size_of_blocked(shape) / 8);
    random.fill(plain, -1, 1);
    for (auto& byte : positive) byte = static_cast<std::uint8_t>(random.integer(0, 255));
    const auto is_set = [&](std::size_t i) { return (positive[i / 8] >> (i % 8) & 1) == 1; };
    for (const bool adds : {false, true}) {
        for (const bool selects : {false, true}) {
            CAPTURE(adds);
            CAPTURE(selects);
            GuardedBuffer<float> blocked(size_of_blocked(shape));
            std::vector<float> expected(blocked.size());
            random.fill(blocked, -1, 1);
            for (std::size_t i = 0; i < expected.size(); ++i) {
                if (adds && !(selects && !is_set(i))) expected[i] = blocked[i];
            }
            for (std::size_t i = 0; i < plain.size(); ++i) {
                const std::size_t place = place_of(shape, i);
                if (!selects || is_set(place)) expected[place] += plain[i];
            }
            run_in_two_calls(kernel.to_blocked,
                             PlainToBlocked{.shape = shape,
                                            .adds = adds,
                                            .plain = plain.data(),
                                            .positive = selects ? positive.data() : nullptr,
                                            .blocked = blocked.data()});
            CHECK(std::equal(expected.begin(), expected.end(), blocked.begin()));
        }
    }
}

}  // namespace

TEST_CASE("blocked to plain and back, at channels and pixels that straddle registers and pieces") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t channels : {1U, 3U, 8U, 15U, 16U, 17U, 40U}) {
        for (const std::size_t pixels : {1U, 7U, 8U, 15U, 16U, 17U, 31U, 33U, 1023U, 1024U, 1041U, 2080U}) {
            testing::for_each_usable_kernel(layout_kernels(), [&](const auto& kernel) {
                for (const std::size_t block : {8U, 16U, 32U}) {
                    if (block % float_lanes(kernel.isa) != 0) continue;
                    CAPTURE(channels);
                    CAPTURE(pixels);
                    CAPTURE(block);
                    const LayoutShape shape = {
                        .batch = 2, .channels = channels, .pixels = pixels, .block = block};
                    check_to_plain(*kernel.run, shape, random);
                    check_to_blocked(*kernel.run, shape, random);
                }
            });
        }
    }
}

}  // namespace vgg19::kernels
