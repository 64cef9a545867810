#include "converter/refit/refit.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/refit/dense_refit.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

struct Fixture {
    kernels::testing::Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("6 9 M 10 M 11 M 12 M 18 M", "17 16 10"), random};
    testing::Pictures pictures{folder / "pictures.bin", random, 40};

    /// Makes filter `copy` output `factor` times the output of `original`.
    void repeat_filter(const std::string& layer, std::size_t original, std::size_t copy, float factor) {
        std::vector<float>& bias = weights.values(layer + ".bias");
        std::vector<float>& weight = weights.values(layer + ".weight");
        const std::size_t filter_size = weight.size() / bias.size();
        for (std::size_t i = 0; i < filter_size; ++i) {
            weight[copy * filter_size + i] = factor * weight[original * filter_size + i];
        }
        bias[copy] = factor * bias[original];
    }

    /// ‖found − expected‖ / ‖expected‖ of the logits, without and with a refit.
    struct Errors {
        double plain = 0;
        double refitted = 0;
    };
    Errors errors(const model::ModelFile& model, const PrunePlan& plan) const {
        const CalibrationImages images = pictures.images(40);
        const Refit found = refit(model, plan, images);
        prune_model(model, plan, folder / "plain");
        prune_model(model.with(found.tensors.tensors()), plan, folder / "refitted");
        const auto expected = run_images(model, images).logits;
        const auto error = [&](const char* name) {
            const auto pruned = model::ModelFile::open(folder / name);
            CHECK(pruned.network() == pruned_network(model.network(), plan));
            const auto logits = run_images(pruned, images).logits;
            double difference = 0;
            double norm = 0;
            for (std::size_t i = 0; i < logits.size(); ++i) {
                difference += std::pow(double{logits[i]} - double{expected[i]}, 2);
                norm += std::pow(double{expected[i]}, 2);
            }
            return std::sqrt(difference / norm);
        };
        return {error("plain"), error("refitted")};
    }
};

}  // namespace

TEST_CASE("channels that are multiples of others are compensated, in every layer and order") {
    Fixture fixture;
    INFO(fixture.random.replay());
    fixture.repeat_filter("features.2", 1, 4, 2);
    fixture.repeat_filter("features.8", 0, 7, 0.5);
    fixture.repeat_filter("features.14", 3, 2, 1.5);
    const PrunePlan plan = {{{2, 9, {4}}, {8, 11, {7}}, {14, 18, {2}}}, "prune by hand"};
    for (const bool input_major : {false, true}) {
        CAPTURE(input_major);
        const auto model = input_major ? fixture.weights.write_input_major(fixture.folder / "input-major")
                                       : fixture.weights.write(fixture.folder / "model");
        const auto [plain, refitted] = fixture.errors(model, plan);
        CHECK(plain > 0.02);
        CHECK(refitted < 0.05);  // the ridge leaves a small error
        CHECK(refitted < plain / 3);
    }
}

TEST_CASE("a channel that is another one plus a constant is compensated, including the constant") {
    constexpr std::size_t taps = 9;
    constexpr std::size_t centre = 4;
    Fixture fixture;
    INFO(fixture.random.replay());
    // Both are far above zero, where ReLU changes nothing; and the next layer cannot detect the border of the
    // map.
    std::vector<float>& bias = fixture.weights.values("features.2.bias");
    bias[1] += 20;
    fixture.repeat_filter("features.2", 1, 4, 1);
    bias[4] += 10;
    std::vector<float>& next = fixture.weights.values("features.5.weight");
    for (std::size_t i = 0; i < next.size(); ++i) {
        const std::size_t channel = i / taps % bias.size();
        if ((channel == 1 || channel == 4) && i % taps != centre) next[i] = 0;
    }
    const auto model = fixture.weights.write(fixture.folder / "model");
    const auto [plain, refitted] = fixture.errors(model, {{{2, 9, {4}}}, "prune by hand"});
    CHECK(plain > 0.005);
    CHECK(refitted < 0.02);
    CHECK(refitted < plain / 3);
}

TEST_CASE("each layer after the first pruned one is refitted, with its error") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto model = fixture.weights.write(fixture.folder / "model");
    const PrunePlan plan = {{{5, 10, {0, 3}}, {14, 18, {1}}}, "prune by hand"};
    const Refit found = refit(model, plan, fixture.pictures.images(40));
    REQUIRE(found.layers.size() == 4);
    CHECK(found.layers[0].layer == "features.8");
    CHECK(found.layers[0].unknowns == 8 * 9 + 1);
    CHECK(found.layers[0].samples == std::size_t{35} * 64);  // five images are held out
    CHECK(found.layers[3].layer == "classifier.0");
    CHECK(found.layers[3].unknowns == 17 + 1);
    for (const LayerRefit& layer : found.layers) {
        CAPTURE(layer.layer);
        CHECK(layer.error <= 1);
        CHECK((layer.ridge > 0) == (layer.error < 1));
    }
}

TEST_CASE("outputs of hidden layers that are multiples of others are compensated, in both orders") {
    Fixture fixture;
    INFO(fixture.random.replay());
    fixture.repeat_filter("classifier.0", 2, 9, 1.5);
    fixture.repeat_filter("classifier.3", 4, 6, 0.5);
    const PrunePlan plan = {{{0, 17, {9}, Part::classifier}, {3, 16, {6}, Part::classifier}}, "by hand"};
    for (const bool input_major : {false, true}) {
        CAPTURE(input_major);
        const auto model = input_major ? fixture.weights.write_input_major(fixture.folder / "input-major")
                                       : fixture.weights.write(fixture.folder / "model");
        const Refit found = refit(model, plan, fixture.pictures.images(40));
        REQUIRE(found.layers.size() == 2);
        CHECK(found.layers[0].layer == "classifier.3");
        CHECK(found.layers[0].unknowns == 16 + 1);
        CHECK(found.layers[0].samples == 35);  // one per image
        CHECK(found.layers[1].layer == "classifier.6");
        const auto [plain, refitted] = fixture.errors(model, plan);
        CHECK(plain > 0.02);
        CHECK(refitted < 0.05);
        CHECK(refitted < plain / 3);
    }
}

TEST_CASE("hidden layers are refitted to the network whose convolutions were pruned and refitted") {
    Fixture fixture;
    INFO(fixture.random.replay());
    fixture.repeat_filter("features.14", 3, 2, 1.5);
    fixture.repeat_filter("classifier.0", 2, 9, 1.5);
    const auto model = fixture.weights.write(fixture.folder / "model");
    const PrunePlan plan = {{{14, 18, {2}}, {0, 17, {9}, Part::classifier}}, "by hand"};
    const Refit found = refit(model, plan, fixture.pictures.images(40));
    REQUIRE(found.layers.size() == 2);
    CHECK(found.layers[0].layer == "classifier.0");
    CHECK(found.layers[1].layer == "classifier.3");
    const auto [plain, refitted] = fixture.errors(model, plan);
    CHECK(plain > 0.02);
    CHECK(refitted < plain / 3);
}

TEST_CASE("a single image changes nothing, because none is left to check the result") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto model = fixture.weights.write(fixture.folder / "model");
    const PrunePlan plan = {{{5, 10, {0, 3}}, {14, 18, {1}}}, "prune by hand"};
    const Refit found = refit(model, plan, fixture.pictures.images(1));
    for (const LayerRefit& layer : found.layers) CHECK(layer.ridge == 0);
    prune_model(model, plan, fixture.folder / "plain");
    prune_model(model.with(found.tensors.tensors()), plan, fixture.folder / "refitted");
    const auto plain = model::ModelFile::open(fixture.folder / "plain");
    const auto refitted = model::ModelFile::open(fixture.folder / "refitted");
    for (const model::Tensor& tensor : plain.tensors()) {
        CAPTURE(tensor.name);
        const auto expected = tensor.as<float>();
        const auto given = refitted.tensor(tensor.name).as<float>();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            REQUIRE(given[i] == doctest::Approx(expected[i]).epsilon(1e-6));
        }
    }
}

TEST_CASE("a refit has the same bits for every number of threads") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto model = fixture.weights.write(fixture.folder / "model");
    const PrunePlan plan = {{{0, 6, {2}}, {11, 12, {5, 6}}}, "prune by hand"};
    const Refit one = refit(model, plan, fixture.pictures.images(20, 1));
    const Refit three = refit(model, plan, fixture.pictures.images(20, 3));
    REQUIRE(one.tensors.tensors().size() == three.tensors.tensors().size());
    for (std::size_t i = 0; i < one.tensors.tensors().size(); ++i) {
        CHECK(std::ranges::equal(one.tensors.tensors()[i].bytes, three.tensors.tensors()[i].bytes));
    }
}

TEST_CASE("a plan that does not fit and a model that is quantised are refused") {
    Fixture fixture;
    const auto model = fixture.weights.write(fixture.folder / "model");
    const CalibrationImages images = fixture.pictures.images(2);
    CHECK(error_of(ErrorKind::bad_input, [&] {
              refit(model, {{{5, 11, {0}}}, ""}, images);
          }) == Containing("features.5: expected 10 channels, as in the model, found 11"));
    quantize_dense(model, fixture.folder / "int8");
    const auto quantized = model::ModelFile::open(fixture.folder / "int8");
    CHECK(error_of(ErrorKind::usage, [&] {
              refit(quantized, {{{5, 10, {0}}}, ""}, images);
          }) == Containing("expected FP32 weights throughout"));
}

}  // namespace vgg19::converter
