#include "converter/variants/published_weights.h"

#include <doctest/doctest.h>

#include "engine/testing/error_of.h"

TEST_CASE("the command that fetches weights can be pasted into a shell") {
    vgg19::converter::PublishedWeights weights;
    weights.file = "/a b/it's.pth";
    weights.url = "https://example.org/weights?a=1&b=$2";
    CHECK(
        vgg19::converter::how_to_get(weights) ==
        vgg19::testing::Containing("--output '/a b/it'\\''s.pth' 'https://example.org/weights?a=1&b=$2'\n"));
}
