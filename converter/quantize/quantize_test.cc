#include "converter/quantize/quantize.h"

#include <doctest/doctest.h>

#include <vector>

#include "converter/prune/prune.h"
#include "converter/quantize/weights.h"
#include "converter/testing/random_model.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using model::ModelFile;
using model::Network;

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

TEST_CASE("both orders of the dense weights are quantised to the same bits") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    quantize_dense(narrow.baseline, narrow.folder / "from-output-major");
    quantize_dense(narrow.weights.write_input_major(narrow.folder / "input-major"),
                   narrow.folder / "from-input-major");
    const auto expected = ModelFile::open(narrow.folder / "from-output-major");
    const auto found = ModelFile::open(narrow.folder / "from-input-major");
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

TEST_CASE("a model that is INT8 already is refused, and nothing is written") {
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

}  // namespace vgg19::converter
