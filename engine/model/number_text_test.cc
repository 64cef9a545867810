#include "engine/model/number_text.h"

#include <doctest/doctest.h>

#include <limits>

namespace vgg19 {

TEST_CASE("The shortest text reads back as the same number") {
    CHECK(shortest_text(0.1) == "0.1");
    CHECK(shortest_text(1e-5) == "1e-05");
    CHECK(shortest_text(1.0) == "1");
    CHECK(shortest_text(0.485F) == "0.485");
    CHECK(shortest_text(double{0.485F}) == "0.48500001430511475");
}

TEST_CASE("Fixed digits are rounded, however large the number") {
    CHECK(fixed(2.345, 1) == "2.3");
    CHECK(fixed(0.5, 0) == "0");
    CHECK(fixed(-1.25, 3) == "-1.250");
    CHECK(fixed(std::numeric_limits<double>::max(), 2).size() == 309 + 3);
}

TEST_CASE("Sizes of files are told in units of ten") {
    CHECK(megabytes(574'670'937) == "574.7 MB");
    CHECK(megabytes(999'999) == "1000.0 kB");
    CHECK(megabytes(1'000'000) == "1.0 MB");
    CHECK(megabytes(12'345) == "12.3 kB");
}

}  // namespace vgg19
