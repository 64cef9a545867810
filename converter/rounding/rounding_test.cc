#include "converter/rounding/rounding.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using model::ModelFile;

/// A narrow model, equalised, so that maps have factors.
struct Fixture {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("8 8 M 12 M 16 M 16 M 20 M", "40 24 10"), random};
    ModelFile baseline = weights.write(folder / "baseline");
    testing::Pictures pictures{folder / "pictures.bin", random, 64};

    struct Result {
        std::vector<LayerRounding> report;
        ModelFile model;
    };

    Result quantized(const std::string& name, const FullOptions& options, int threads = 1) {
        const CalibrationImages images = pictures.images(64, threads);
        const EqualizedModel equalized(baseline, measure_channels(baseline, images));
        const auto statistics = calibrate(equalized.file(), images);
        FullQuantization quantization = quantize_all(equalized.file(), statistics, options);
        Result result{{}, baseline};
        if (options.rounding == Rounding::error) {
            result.report = round_by_error(equalized.file(), statistics, images, options, quantization);
        }
        write_full(equalized.file(), quantization, name, folder / name);
        result.model = ModelFile::open(folder / name);
        return result;
    }

    /// Σ of squared differences of the logits from the baseline's.
    double logit_error(const ModelFile& model) {
        const CalibrationImages images = pictures.images(64);
        const auto expected = run_images(baseline, images).logits;
        const auto found = run_images(model, images).logits;
        double sum = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            sum += std::pow(double{found[i]} - double{expected[i]}, 2);
        }
        return sum;
    }
};

FullOptions with_bits(const char* bits, Rounding rounding, DenseType dense = DenseType::int8) {
    FullOptions options;
    options.dense = dense;
    options.weight_bits = WeightBits::parse(bits);
    options.rounding = rounding;
    return options;
}

bool same_tensors(const ModelFile& a, const ModelFile& b) {
    return std::all_of(
        a.file().tensors().begin(), a.file().tensors().end(), [&](const model::Tensor& tensor) {
            const auto bytes = b.tensor(tensor.name).bytes;
            return std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end());
        });
}

}  // namespace

TEST_CASE("rounding by error lowers each layer's error on held-out images, and the logits'") {
    Fixture fixture;
    INFO(fixture.random.replay());
    for (const DenseType dense : {DenseType::int8, DenseType::int4}) {
        const auto nearest = fixture.quantized("nearest", with_bits("4", Rounding::nearest, dense));
        const auto rounded = fixture.quantized("error", with_bits("4", Rounding::error, dense));
        REQUIRE(rounded.report.size() == 8);
        CHECK(rounded.report.front().layer == "features.2");
        CHECK(rounded.report.back().layer == "classifier.6");
        std::size_t changed = 0;
        for (const LayerRounding& layer : rounded.report) {
            CAPTURE(layer.layer);
            CHECK(layer.chosen <= layer.nearest);
            CHECK((layer.damping > 0) == (layer.chosen < layer.nearest));
            changed += static_cast<std::size_t>(layer.damping > 0);
        }
        CHECK(changed >= 5);
        CHECK(fixture.logit_error(rounded.model) < 0.6 * fixture.logit_error(nearest.model));
    }
}

TEST_CASE("rounding by error does not depend on the number of threads") {
    Fixture fixture;
    INFO(fixture.random.replay());
    for (const DenseType dense : {DenseType::int8, DenseType::int4}) {
        const FullOptions options = with_bits("5", Rounding::error, dense);
        CHECK(same_tensors(fixture.quantized("one", options, 1).model,
                           fixture.quantized("three", options, 3).model));
    }
}

TEST_CASE("rounding by error keeps to the bits of each layer and leaves FP32 layers alone") {
    Fixture fixture;
    INFO(fixture.random.replay());
    FullOptions options = with_bits("3,features.5=2,classifier.0=6", Rounding::error);
    options.keep_fp32 = {"features.8", "classifier.3"};
    options.convolutions.bias_correction = false;
    const auto result = fixture.quantized("mixed", options);
    CHECK(result.report.size() == 6);
    for (const auto& [layer, most] : {std::pair("features.5", 1), std::pair("features.2", 3),
                                      std::pair("classifier.0", 31), std::pair("classifier.6", 3)}) {
        CAPTURE(layer);
        const auto levels = result.model.tensor(model::weight_name(layer)).as<std::int8_t>();
        const auto [low, high] = std::minmax_element(levels.begin(), levels.end());
        CHECK(std::max(-int{*low}, int{*high}) == most);
    }
    CHECK_FALSE(result.model.is_int8("features.8"));
    CHECK_FALSE(result.model.is_int8("classifier.3"));
}

}  // namespace vgg19::converter
