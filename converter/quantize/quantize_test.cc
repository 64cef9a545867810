#include "converter/quantize/quantize.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "converter/prune/prune.h"
#include "converter/testing/random_model.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::testing::GuardedBuffer;
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

/// Quantises through buffers that end at guard pages.
std::pair<float, std::vector<int>> quantize(const std::vector<float>& weights) {
    GuardedBuffer<float> input(weights.size());
    GuardedBuffer<std::int8_t> output(weights.size());
    std::copy(weights.begin(), weights.end(), input.begin());
    const float scale = quantize_row({input.data(), input.size()}, {output.data(), output.size()});
    return {scale, {output.begin(), output.end()}};
}

}  // namespace

TEST_CASE("a row's largest magnitude becomes 127, and halves go to the even value") {
    const auto [scale, quantized] =
        quantize({127, -127, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 3.49F, -0.0F});
    CHECK(scale == 1);
    CHECK(quantized == std::vector<int>{127, -127, 0, 2, 2, 0, -2, -2, 3, 0});
}

TEST_CASE("a row of zeros has the scale 1") {
    const auto [scale, quantized] = quantize({0, -0.0F, 0});
    CHECK(scale == 1);
    CHECK(quantized == std::vector<int>{0, 0, 0});
}

TEST_CASE("a denormal scale, too coarse for its row, gives no more than 127") {
    constexpr float smallest = std::numeric_limits<float>::denorm_min();
    const auto [scale, quantized] = quantize({143 * smallest, -143 * smallest, 5 * smallest});
    CHECK(scale == smallest);
    CHECK(quantized == std::vector<int>{127, -127, 5});
}

TEST_CASE("rows of any magnitude and length are quantised as the formula says") {
    Random random;
    INFO(random.replay());
    for (const std::size_t count : {1U, 3U, 4U, 7U, 8U, 15U, 16U, 17U, 31U, 33U, 64U, 65U, 1000U}) {
        for (const float bound :
             {1e-44F, 1e-38F, 1e-6F, 0.05F, 1.0F, 1e30F, std::numeric_limits<float>::max() / 2}) {
            std::vector<float> weights(count);
            random.fill(weights, -bound, bound);
            float largest = 0;
            for (const float weight : weights) largest = std::max(largest, std::abs(weight));
            const float expected_scale = largest / 127 == 0 ? 1 : largest / 127;

            const auto [scale, quantized] = quantize(weights);
            REQUIRE(scale == expected_scale);
            for (std::size_t i = 0; i < count; ++i) {
                const float expected =
                    std::nearbyint(std::min(std::max(weights[i] / scale, -127.0F), 127.0F));
                REQUIRE(quantized[i] == static_cast<int>(expected));
            }
        }
    }
}

TEST_CASE("a row that is not finite has a scale that is not") {
    CHECK_FALSE(std::isfinite(quantize({1, std::numeric_limits<float>::infinity()}).first));
    CHECK_FALSE(std::isfinite(quantize({std::numeric_limits<float>::quiet_NaN(), 1}).first));
    CHECK_FALSE(std::isfinite(quantize({-std::numeric_limits<float>::quiet_NaN(), 1}).first));
}

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
