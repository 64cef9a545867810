#include "converter/quantize/sensitivity.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;

struct Fixture {
    kernels::testing::Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("4 4 M 5 M 6 M 7 M 9 M", "17 16 10"), random};
    testing::Pictures pictures{folder / "pictures.bin", random};
    model::ModelFile model = weights.write(folder / "model");
    CalibrationImages images = pictures.images(4);

    FullQuantization quantize() { return quantize_all(model, calibrate(model, images), {}); }
};

}  // namespace

TEST_CASE("every layer is measured alone, convolutions in every way, and the worst comes first") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto layers = measure_sensitivity(fixture.model, fixture.quantize(), fixture.images);
    REQUIRE(layers.size() == 5 * 3 + 3);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Sensitivity& layer = layers[i];
        CAPTURE(layer.layer);
        CAPTURE(layer.way);
        CHECK(layer.relative_l2 > 0);
        CHECK(layer.relative_l2 < 0.2);
        CHECK(layer.cosine > 0.98);
        if (i > 0) CHECK(layer.relative_l2 <= layers[i - 1].relative_l2);
        if (layer.way == "direct") CHECK(layer.kernel == Containing("conv_int8"));
        if (layer.way == "winograd") CHECK(layer.kernel == Containing("winograd_int8_f2x2_"));
        if (layer.way == "winograd_f4x4") CHECK(layer.kernel == Containing("winograd_int8_f4x4_"));
        CHECK((layer.way == "dense") == layer.kernel.empty());
    }
}

TEST_CASE("a layer that is quantised badly ranks first") {
    Fixture fixture;
    INFO(fixture.random.replay());
    FullQuantization quantization = fixture.quantize();
    quantization.convolutions[2].input_scale *= 64;
    const auto layers = measure_sensitivity(fixture.model, quantization, fixture.images);
    CHECK(layers[0].layer == quantization.convolutions[2].name);
    CHECK(layers[1].layer == quantization.convolutions[2].name);
    CHECK(layers[2].layer == quantization.convolutions[2].name);
    CHECK(layers[2].relative_l2 > 2 * layers[3].relative_l2);
}

TEST_CASE("the table has a header, and one line per layer with tabs between columns") {
    const std::string table = sensitivity_table(
        {{"features.2", "direct", "kernel", 0.25, 0.5, 1}, {"classifier.0", "dense", "", 0.125, 1, 0.75}});
    CHECK(table ==
          "rank\tlayer\tway\tkernel\trelative_l2\tcosine\tsame_prediction\n"
          "1\tfeatures.2\tdirect\tkernel\t0.25\t0.5\t1\n"
          "2\tclassifier.0\tdense\t\t0.125\t1\t0.75\n");
}

}  // namespace vgg19::converter
