#include "tools/features/map_pool.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "engine/testing/error_of.h"

using namespace vgg19;
using namespace vgg19::tools;

TEST_CASE("maps are pooled channel by channel") {
    const std::array<float, 6> map = {1, 2, 6, -3, 0, 3};
    std::array<float, 2> pooled{};
    pool_map(MapPool::average, 3, map, pooled);
    CHECK(pooled[0] == doctest::Approx(3));
    CHECK(pooled[1] == doctest::Approx(0));
    pool_map(MapPool::generalized_mean, 3, map, pooled);
    CHECK(pooled[0] == doctest::Approx(std::cbrt((1.0 + 8 + 216) / 3)));
    CHECK(pooled[1] == doctest::Approx(std::cbrt(27.0 / 3)));
    pool_map(MapPool::generalized_mean, 2, map, pooled);
    CHECK(pooled[0] == doctest::Approx(std::sqrt((1.0 + 4 + 36) / 3)));
}

TEST_CASE("the generalized mean has no overflow, and a smallest value where nothing is positive") {
    const std::array<float, 4> map = {1e30F, 1e30F, -1, 0};
    std::array<float, 2> pooled{};
    pool_map(MapPool::generalized_mean, 100, map, pooled);
    CHECK(pooled[0] == doctest::Approx(1e30F));
    CHECK(pooled[1] == doctest::Approx(1e-6F));
}

TEST_CASE("an unknown pool is named") {
    CHECK(parse_map_pool("gem") == MapPool::generalized_mean);
    CHECK(vgg19::testing::error_of(ErrorKind::usage, [] { parse_map_pool("max"); }) ==
          "--pool: expected none, avg or gem, found 'max'");
}
