#include "converter/rounding/bit_choice.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/rounding/coded_size.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

}  // namespace

TEST_CASE("Huffman's code gives frequent weights short codes") {
    // Codes of 1, 2, 3 and 3 bits for 8, 4, 2 and 2 weights: 28 bits. One weight alone needs none.
    std::vector<std::int8_t> weights;
    for (const auto& [value, count] :
         {std::pair(0, 8), std::pair(-1, 4), std::pair(1, 2), std::pair(-127, 2)}) {
        weights.insert(weights.end(), static_cast<std::size_t>(count), static_cast<std::int8_t>(value));
    }
    CHECK(huffman_bytes(weights) == 4);
    CHECK(huffman_bytes(std::vector<std::int8_t>(100, 5)) == 0);
    CHECK(huffman_bytes({}) == 0);
}

TEST_CASE("bits are chosen for a size, fewest where the logits change least, and named layers keep theirs") {
    Random random;
    INFO(random.replay());
    vgg19::testing::TemporaryFolder folder;
    const testing::RandomModel weights{model::Network::parse("8 8 M 12 M 16 M 16 M 20 M", "40 24 10"),
                                       random};
    const model::ModelFile model = weights.write(folder / "model");
    const testing::Pictures pictures(folder / "pictures.bin", random, 8);
    const CalibrationImages images = pictures.images(8);
    const auto statistics = calibrate(model, images);
    FullOptions options;
    options.weight_bits = WeightBits::parse("features.5=7");
    const auto choose = [&](std::uint64_t bytes) {
        return choose_bits(model, statistics, images, options, bytes);
    };
    const BitChoice largest = choose(100'000'000);
    CHECK(largest.bits == options.weight_bits);
    REQUIRE(largest.layers.size() == 8);

    std::uint64_t least_bytes = largest.bytes;
    double error = largest.error;
    for (const double share : {0.9, 0.8, 0.7}) {
        const auto target = static_cast<std::uint64_t>(share * static_cast<double>(largest.bytes));
        const BitChoice choice = choose(target);
        CHECK(choice.bytes <= target);
        CHECK(choice.bytes < least_bytes);
        CHECK(choice.error > error);
        CHECK(choice.bits.of("features.5") == 7);
        for (const LayerBits& layer : choice.layers) CHECK(choice.bits.of(layer.layer) == layer.bits);
        least_bytes = choice.bytes;
        error = choice.error;
    }
    CHECK(error_of(ErrorKind::usage, [&] { choose(1000); }) ==
          Containing("--target-mb: expected at least 0."));
}

}  // namespace vgg19::converter
