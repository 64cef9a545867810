#include "converter/quantize/quantize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "converter/import/reorder.h"
#include "converter/prune/prune.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/quantize/weights.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using model::ModelFile;
using model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

Network narrow_network() {
    return Network::parse("4 4 M 5 M 6 M 7 M 9 M", "17 16 10");
}

struct NarrowModel {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{narrow_network(), random};
    ModelFile baseline = weights.write(folder / "baseline");
};

}  // namespace

TEST_CASE("a quantised model keeps its convolutions and biases and holds INT8 dense weights with scales") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    quantize_dense(narrow.baseline, narrow.folder / "int8");

    const auto quantized = ModelFile::open(narrow.folder / "int8");
    CHECK(quantized.network() == narrow_network());
    CHECK(quantized.description().variant == "int8");
    CHECK(quantized.description().lineage == std::vector<std::string>{"random", "quantize --scope dense"});
    CHECK(quantized.description().source_sha256 == std::string(64, '0'));
    quantized.verify_checksums();

    std::size_t tensors = 0;
    for (const auto& wanted : narrow_network().tensors()) {
        CAPTURE(wanted.name);
        const auto& tensor = quantized.tensor(wanted.name);
        const auto& values = narrow.weights.values(wanted.name);
        ++tensors;
        if (!wanted.name.starts_with("classifier.") || !wanted.name.ends_with(".weight")) {
            const auto kept = tensor.as<float>();
            CHECK(std::equal(kept.begin(), kept.end(), values.begin(), values.end()));
            continue;
        }
        ++tensors;
        REQUIRE(tensor.dtype == model::DType::i8);
        const auto scales = quantized.tensor(wanted.name + "_scale").as<float>();
        const std::size_t inputs = wanted.shape[1];
        for (std::size_t row = 0; row < wanted.shape[0]; ++row) {
            std::vector<std::int8_t> expected(inputs);
            CHECK(scales[row] == quantize_row(std::span(values).subspan(row * inputs, inputs), expected));
            const auto stored = tensor.as<std::int8_t>().subspan(row * inputs, inputs);
            CHECK(std::equal(stored.begin(), stored.end(), expected.begin()));
        }
    }
    CHECK(quantized.file().tensors().size() == tensors);
}

TEST_CASE("both orders of dense weights are quantised to the same values, and keep their order") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    quantize_dense(narrow.baseline, narrow.folder / "from-output-major");
    quantize_dense(narrow.weights.write_input_major(narrow.folder / "input-major"),
                   narrow.folder / "from-input-major");
    const auto expected = ModelFile::open(narrow.folder / "from-output-major");
    const auto input_major = ModelFile::open(narrow.folder / "from-input-major");
    for (const auto& layer : input_major.network().dense_layers()) {
        CHECK(input_major.is_int8(layer.name));
        CHECK(input_major.order(layer) == model::DenseOrder::input_major);
        CHECK(expected.order(layer) == model::DenseOrder::output_major);
    }
    reorder_dense(input_major, narrow.folder / "reordered", model::DenseOrder::output_major);
    const auto found = ModelFile::open(narrow.folder / "reordered");
    for (const auto& tensor : expected.file().tensors()) {
        CAPTURE(tensor.name);
        const auto bytes = found.tensor(tensor.name).bytes;
        CHECK(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    }
}

TEST_CASE("a pruned model becomes pruned-int8") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    prune_model(narrow.baseline, plan_pruning(narrow.baseline, {.ratio = 0.3}), narrow.folder / "pruned");
    quantize_dense(ModelFile::open(narrow.folder / "pruned"), narrow.folder / "both");

    const auto both = ModelFile::open(narrow.folder / "both");
    CHECK(both.description().variant == "pruned-int8");
    CHECK(both.description().lineage.size() == 3);
    CHECK(both.is_int8("classifier.0"));
}

TEST_CASE("a model that is already INT8 is refused, and nothing is written") {
    NarrowModel narrow;
    quantize_dense(narrow.baseline, narrow.folder / "int8");
    try {
        quantize_dense(ModelFile::open(narrow.folder / "int8"), narrow.folder / "again");
        FAIL("expected an error");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::bad_input);
        CHECK(error.what() == (narrow.folder / "int8").string() +
                                  ": classifier.0: expected FP32 weights, found INT8: the model is quantised "
                                  "already");
    }
    CHECK_FALSE(std::filesystem::exists(narrow.folder / "again"));
}

TEST_CASE("the output of quantising must be another file than its input") {
    NarrowModel narrow;
    CHECK_THROWS_AS(quantize_dense(narrow.baseline, narrow.folder / "baseline"), Error);
    CHECK(ModelFile::open(narrow.folder / "baseline").description().variant == "baseline");
}

TEST_CASE("calibration covers the inputs of all convolutions except the first, for every image") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const testing::Pictures pictures(narrow.folder / "pictures.bin", narrow.random);
    const auto statistics = calibrate(narrow.baseline, pictures.images(3));
    REQUIRE(statistics.size() == 5);
    const std::vector<std::size_t> channels = {4, 4, 5, 6, 7};
    const std::vector<std::size_t> sides = {32, 16, 8, 4, 2};
    for (std::size_t i = 0; i < statistics.size(); ++i) {
        CAPTURE(i);
        CHECK(statistics[i].channels() == channels[i]);
        CHECK(statistics[i].inputs().count() == 3 * channels[i] * sides[i] * sides[i]);
        CHECK(statistics[i].inputs().largest() > 0);
        CHECK(statistics[i].tiles() >= 128);
    }
    const auto again = calibrate(narrow.baseline, pictures.images(3, 3));
    for (std::size_t i = 0; i < statistics.size(); ++i) {
        CHECK(again[i].inputs().counts() == statistics[i].inputs().counts());
        CHECK(again[i].tap_mean(0, 4) == statistics[i].tap_mean(0, 4));
    }
}

TEST_CASE("calibration names the image and the layer of an activation that is too large") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const testing::Pictures pictures(narrow.folder / "pictures.bin", narrow.random);
    narrow.weights.values("features.0.bias")[1] = 3e38F;
    const ModelFile large = narrow.weights.write(narrow.folder / "large");
    const std::string message = error_of(ErrorKind::bad_input, [&] { calibrate(large, pictures.images(2)); });
    CHECK(message == Containing("pictures.bin record 0: features.2: expected an input of at most 8.5"));
}

TEST_CASE("in a fully quantised model all layers are INT8 with scales, except the first and the kept ones") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const testing::Pictures pictures(narrow.folder / "pictures.bin", narrow.random);
    FullOptions options;
    options.keep_fp32 = {"features.5", "classifier.3"};
    options.no_winograd = {"features.2"};
    const auto statistics = calibrate(narrow.baseline, pictures.images(4));
    std::uint64_t layers = 0;
    const FullQuantization quantization =
        quantize_all(narrow.baseline, statistics, options, [&](std::uint64_t done, std::uint64_t total) {
            layers = done;
            CHECK(total == 9);
        });
    CHECK(layers == 9);
    write_full(narrow.baseline, quantization, "quantize --scope all", narrow.folder / "full");

    const auto full = ModelFile::open(narrow.folder / "full");
    CHECK(full.description().variant == "int8-full");
    CHECK(full.description().lineage.back() == "quantize --scope all");
    CHECK(full.network() == narrow_network());
    full.verify_checksums();
    std::vector<std::string> int8;
    for (const auto& layer : full.network().convolutions()) {
        if (full.is_int8(layer.name)) int8.push_back(layer.name);
    }
    for (const auto& layer : full.network().dense_layers()) {
        if (full.is_int8(layer.name)) int8.push_back(layer.name);
    }
    CHECK(int8 == std::vector<std::string>{"features.2", "features.8", "features.11", "features.14",
                                           "classifier.0", "classifier.6"});
    CHECK(full.find("features.2.winograd_input_scale") == nullptr);
    CHECK(full.find("features.2.winograd_f4x4_input_scale") == nullptr);
    CHECK(full.tensor("features.8.input_scale").as<float>()[0] == quantization.convolutions[1].input_scale);
    for (const auto& kept : {"features.0.weight", "features.5.weight", "classifier.3.weight"}) {
        const auto stored = full.tensor(kept).as<float>();
        const auto& values = narrow.weights.values(kept);
        CHECK(std::equal(stored.begin(), stored.end(), values.begin(), values.end()));
    }
}

TEST_CASE("no convolution uses Winograd if all must run direct") {
    NarrowModel narrow;
    const testing::Pictures pictures(narrow.folder / "pictures.bin", narrow.random);
    FullOptions options;
    options.all_direct = true;
    const auto statistics = calibrate(narrow.baseline, pictures.images(2));
    for (const auto& layer : quantize_all(narrow.baseline, statistics, options).convolutions) {
        CHECK_FALSE((layer.winograd.f2x2 || layer.winograd.f4x4));
    }
}

TEST_CASE("a pruned model becomes pruned-int8-full, and a quantised one is refused") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const testing::Pictures pictures(narrow.folder / "pictures.bin", narrow.random);
    prune_model(narrow.baseline, plan_pruning(narrow.baseline, {.ratio = 0.3}), narrow.folder / "pruned");
    const auto pruned = ModelFile::open(narrow.folder / "pruned");
    const auto statistics = calibrate(pruned, pictures.images(2));
    write_full(pruned, quantize_all(pruned, statistics, {}), "all", narrow.folder / "both");
    const auto both = ModelFile::open(narrow.folder / "both");
    CHECK(both.description().variant == "pruned-int8-full");
    CHECK(error_of(ErrorKind::bad_input, [&] { quantize_all(both, statistics, {}); }) ==
          Containing("expected FP32 weights, found INT8: the model is quantised already"));
    CHECK(error_of(ErrorKind::bad_input, [&] { quantize_dense(both, narrow.folder / "again"); }) ==
          Containing("quantised already"));
    CHECK_FALSE(std::filesystem::exists(narrow.folder / "again"));
}

TEST_CASE("layers that the model does not have are named") {
    const Network network = narrow_network();
    CHECK(error_of(ErrorKind::usage, [&] { check_layers(network, {.keep_fp32 = {"features.1"}}); }) ==
          Containing("--keep-fp32: expected layers of the model, features.0 to classifier.6, found "
                     "'features.1'"));
    CHECK(error_of(ErrorKind::usage, [&] { check_layers(network, {.no_winograd = {"classifier.0"}}); }) ==
          Containing("--no-winograd"));
    check_layers(network, {.keep_fp32 = {"features.0", "classifier.6"}, .no_winograd = {"features.14"}});
    const auto bits = [&](const char* text, FullOptions options = {}) {
        options.weight_bits = WeightBits::parse(text);
        return error_of(ErrorKind::usage, [&] { check_layers(network, options); });
    };
    CHECK(bits("features.1=4") == Containing("--weight-bits: expected layers of the model"));
    CHECK(bits("features.0=4") == Containing("found 'features.0', which stays FP32"));
    CHECK(bits("features.2=4", {.keep_fp32 = {"features.2"}}) == Containing("which --keep-fp32 names too"));
    CHECK(bits("classifier.0=4", {.dense = DenseType::int4}) == Containing("which becomes INT4"));
    check_layers(network, {.weight_bits = WeightBits::parse("3,classifier.0=4")});
}

}  // namespace vgg19::converter
