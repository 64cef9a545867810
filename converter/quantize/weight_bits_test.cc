#include "converter/quantize/weight_bits.h"

#include <doctest/doctest.h>

#include "engine/testing/error_of.h"
#include "vgg19/error.h"

namespace vgg19::converter {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

TEST_CASE("bits are for all layers, for some, or for both, and their text is read back") {
    const WeightBits all = WeightBits::parse("5");
    CHECK(all.of("features.2") == 5);
    const WeightBits both = WeightBits::parse("features.5=2,4,classifier.0=8");
    CHECK(both.of("features.5") == 2);
    CHECK(both.of("classifier.0") == 8);
    CHECK(both.of("features.2") == 4);
    const WeightBits some = WeightBits::parse("features.5=3");
    CHECK(some.of("features.5") == 3);
    CHECK(some.of("features.2") == 8);
    for (const WeightBits& bits : {all, both, some, WeightBits{}}) {
        CHECK(WeightBits::parse(bits.text()) == bits);
    }
    CHECK(both.text() == "4,classifier.0=8,features.5=2");
}

TEST_CASE("wrong bits are refused with the entry that is wrong") {
    for (const char* text : {"", "1", "9", "10", "x", "features.2", "features.2=", "=4", "features.2=1",
                             "4,5", "4,", "features.2=4x"}) {
        CAPTURE(text);
        CHECK(error_of(ErrorKind::usage, [&] { WeightBits::parse(text); }) ==
              Containing("--weight-bits: expected bits from 2 to 8"));
    }
    CHECK(error_of(ErrorKind::usage, [] { WeightBits::parse("4,features.2=44"); }) ==
          Containing("found 'features.2=44'"));
    CHECK(error_of(ErrorKind::usage, [] { WeightBits::parse("features.2=4,features.2=4"); }) ==
          Containing("'features.2' again"));
}

}  // namespace vgg19::converter
