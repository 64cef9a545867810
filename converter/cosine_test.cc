#include "converter/cosine.h"

#include <doctest/doctest.h>

#include <vector>

namespace vgg19::converter {

TEST_CASE("cosines of vectors at known angles") {
    const std::vector<float> x = {3, 4};
    CHECK(cosine_of(x, std::vector<float>{6, 8}) == doctest::Approx(1));
    CHECK(cosine_of(x, std::vector<float>{-4, 3}) == doctest::Approx(0));
    CHECK(cosine_of(x, std::vector<float>{-3, -4}) == doctest::Approx(-1));
    CHECK(cosine_of(x, std::vector<float>{1, 0}) == doctest::Approx(0.6));
    const std::vector<float> zeros(2);
    CHECK(cosine_of(x, zeros) == 0);
    CHECK(cosine_of(zeros, zeros) == 1);
}

TEST_CASE("the cosine is 1 for parallel, 0 for orthogonal, -1 for opposed vectors") {
    const std::vector<float> x = {1, 2, 3};
    const std::vector<float> twice = {2, 4, 6};
    const std::vector<float> orthogonal = {3, 0, -1};
    const std::vector<float> opposed = {-1, -2, -3};
    CHECK(cosine_of(x, twice) == doctest::Approx(1).epsilon(1e-12));
    CHECK(cosine_of(x, orthogonal) == 0);
    CHECK(cosine_of(x, opposed) == doctest::Approx(-1).epsilon(1e-12));
    CHECK(cosine_of(x, std::vector<float>(3)) == 0);
    const std::vector<float> uneven = {0.1F, -7.3F, 1e-3F, 1e20F};
    CHECK(cosine_of(uneven, uneven) == 1);
}

}  // namespace vgg19::converter
