#include "converter/quantize/equalize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using model::ModelFile;

struct Fixture {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("4 4 M 5 M 6 M 7 M 9 M", "17 16 10"), random};
    testing::Pictures pictures{folder / "pictures.bin", random};
};

}  // namespace

TEST_CASE("an equalised model gives the same logits, and its channels have closer ranges") {
    Fixture fixture;
    INFO(fixture.random.replay());
    // Channel 2 of the second convolution's input is far larger than the others; channel 1 is always zero.
    auto& filters = fixture.weights.values("features.0.weight");
    for (std::size_t i = 2UL * 27; i < 3UL * 27; ++i) filters[i] *= 16;
    fixture.weights.values("features.0.bias")[1] = -1000;
    const ModelFile model = fixture.weights.write(fixture.folder / "model");
    const CalibrationImages images = fixture.pictures.images(4);

    const auto before = measure_channels(model, images);
    const EqualizedModel equalized(model, before);
    const auto after = measure_channels(equalized.file(), images);
    CHECK(before[0][1] == 0);
    CHECK(after[0][1] == 0);
    const float ratio_before = before[0][2] / before[0][0];
    CHECK(ratio_before > 4);
    CHECK(after[0][2] / after[0][0] == doctest::Approx(std::sqrt(ratio_before)).epsilon(1e-4));

    const std::vector<float> expected = run_images(model, images).logits;
    const std::vector<float> found = run_images(equalized.file(), images).logits;
    const float largest = std::abs(*std::max_element(
        expected.begin(), expected.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(std::abs(found[i] - expected[i]) <= 1e-4F * largest);
    }
}

TEST_CASE("inputs and weights of the dense layers do not change") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const ModelFile model = fixture.weights.write(fixture.folder / "model");
    const EqualizedModel equalized(model, measure_channels(model, fixture.pictures.images(2)));
    for (const model::DenseLayer& layer : model.network().dense_layers()) {
        CHECK(equalized.file().weight(layer).bytes.data() == model.weight(layer).bytes.data());
    }
    const auto expected = model.tensor("features.14.bias").as<float>();
    const auto found = equalized.file().tensor("features.14.bias").as<float>();
    CHECK(std::equal(found.begin(), found.end(), expected.begin(), expected.end()));
}

TEST_CASE("a channel is scaled by at most eight") {
    Fixture fixture;
    const ModelFile model = fixture.weights.write(fixture.folder / "model");
    std::vector<std::vector<float>> largest = {
        {1e30F, 1, 1, 1e-30F}, {1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1}};
    const EqualizedModel equalized(model, largest);
    const auto before = model.tensor("features.0.bias").as<float>();
    const auto after = equalized.file().tensor("features.0.bias").as<float>();
    CHECK(after[0] == doctest::Approx(before[0] / 8));
    CHECK(after[1] == doctest::Approx(before[1]));
    CHECK(after[3] == doctest::Approx(before[3] * 8));
}

}  // namespace vgg19::converter
