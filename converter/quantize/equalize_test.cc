#include "converter/quantize/equalize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"
#include "kernels/common/testing/distance.h"
#include "vgg19/session.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using kernels::testing::relative_l2;
using model::ModelFile;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

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

TEST_CASE("maps between the layers are the trained network's, also from INT8 layers") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const ModelFile model = fixture.weights.write(fixture.folder / "model");
    const CalibrationImages images = fixture.pictures.images(4);
    const EqualizedModel equalized(model, measure_channels(model, images));
    CHECK_FALSE(equalized.file().lacks_output_factors());
    model::write_model(fixture.folder / "equalized", model.description(), equalized.file().tensors());
    const std::string step = "quantize --scope all --calib pictures";
    write_full(equalized.file(), quantize_all(equalized.file(), calibrate(equalized.file(), images), {}),
               step, fixture.folder / "full");

    std::vector<float> input(std::size_t{3} * 32 * 32);
    fixture.random.fill(input, -2, 2);
    const auto maps = [&](const char* file, const char* name) {
        Session session(Model::open(fixture.folder / file),
                        {.threads = 2, .input_height = 32, .input_width = 32, .outputs = {name}});
        std::vector<float> values(session.outputs().front().size());
        session.run(input, values);
        return values;
    };
    for (const char* name : {"conv1_1", "relu1_2", "pool1", "conv2_1", "pool3", "relu4_1", "relu5_1"}) {
        CAPTURE(name);
        const std::vector<float> expected = maps("model", name);
        CHECK(relative_l2(maps("equalized", name), expected) <= 1e-5);
        CHECK(relative_l2(maps("full", name), expected) <= 0.1);
    }

    // As a version wrote it that did not keep the factors.
    write_full(model, quantize_all(model, calibrate(model, images), {}), step, fixture.folder / "older");
    CHECK(ModelFile::open(fixture.folder / "older").lacks_output_factors());
    CHECK(error_of(ErrorKind::usage, [&] { maps("older", "pool3"); }) ==
          Containing("output \"pool3\": " + (fixture.folder / "older").string() +
                     " was quantised by an earlier version"));
    CHECK(maps("older", "relu5_1").size() == 9 * 2 * 2);
    write_full(model, quantize_all(model, calibrate(model, images), {}), step + " --no-equalization",
               fixture.folder / "plain");
    CHECK(relative_l2(maps("plain", "pool3"), maps("model", "pool3")) <= 0.1);
}

}  // namespace vgg19::converter
