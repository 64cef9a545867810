#include "converter/quantize/int4_weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "converter/import/reorder.h"
#include "converter/prune/prune.h"
#include "converter/quantize/quantize.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"
#include "kernels/common/float16.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::converter {

namespace {

using kernels::testing::GuardedBuffer;
using kernels::testing::Random;
using kernels::testing::relative_l2;
using model::ModelFile;
using model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

struct Group {
    std::uint16_t scale_bits;
    std::vector<int> values;  ///< all 32

    double scale() const { return double{kernels::float16_value(scale_bits)}; }
    double squared_error(const std::vector<float>& weights) const {
        double sum = 0;
        for (std::size_t o = 0; o < weights.size(); ++o) {
            sum += std::pow(double{weights[o]} - scale() * values[o], 2);
        }
        return sum;
    }
};

/// Quantises in buffers that end at guard pages.
Group quantize(const std::vector<float>& weights) {
    GuardedBuffer<float> input(weights.size());
    GuardedBuffer<std::uint8_t> output(16);
    std::copy(weights.begin(), weights.end(), input.begin());
    Group group = {quantize_group({input.data(), input.size()}, output.data()), std::vector<int>(32)};
    for (std::size_t o = 0; o < 32; ++o) {
        group.values[o] = (o < 16 ? output[o] % 16 : output[o - 16] / 16) - 8;
    }
    return group;
}

/// The squared error with the scale max|w| / 7.
double plain_squared_error(const std::vector<float>& weights) {
    float largest = 0;
    for (const float weight : weights) largest = std::max(largest, std::abs(weight));
    const double scale{kernels::float16_value(kernels::nearest_float16(largest / 7))};
    double sum = 0;
    for (const float weight : weights) {
        const double value = std::nearbyint(std::clamp(double{weight} / scale, -7.0, 7.0));
        sum += std::pow(double{weight} - scale * value, 2);
    }
    return sum;
}

/// The last layer's outputs do not fill a group; the first two layers have more than one group.
struct NarrowModel {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    Network network = Network::parse("4 4 M 5 M 6 M 7 M 9 M", "40 33 10");
    testing::RandomModel weights{network, random};
    ModelFile baseline = weights.write(folder / "baseline");

    ModelFile quantized(const ModelFile& model, const char* name) const {
        quantize_dense(model, folder / name, DenseType::int4);
        return ModelFile::open(folder / name);
    }
};

/// The model with its INT4 weights converted back to FP32.
ModelFile dequantized(NarrowModel& narrow, const ModelFile& int4) {
    for (const model::DenseLayer& layer : narrow.network.dense_layers()) {
        const std::size_t groups = (layer.outputs + 31) / 32;
        const auto packed = int4.weight(layer).as<std::uint8_t>();
        const auto scales = int4.tensor(layer.name + ".weight_int4_scale").as<std::uint16_t>();
        std::vector<float>& weights = narrow.weights.values(layer.name + ".weight");
        for (std::size_t i = 0; i < layer.inputs; ++i) {
            for (std::size_t o = 0; o < layer.outputs; ++o) {
                const std::size_t group = i * groups + o / 32;
                const int byte = packed[group * 16 + o % 16];
                const int value = (o % 32 < 16 ? byte % 16 : byte / 16) - 8;
                weights[o * layer.inputs + i] =
                    kernels::float16_value(scales[group]) * static_cast<float>(value);
            }
        }
    }
    return narrow.weights.write(narrow.folder / "dequantized");
}

std::vector<float> logits(const std::filesystem::path& model, const SessionOptions& options,
                          const std::vector<float>& input) {
    Session session(Model::open(model), options);
    std::vector<float> output(options.batch * 10);
    session.run(input, output);
    return output;
}

}  // namespace

TEST_CASE("weights that fit INT4 keep their values, halves round to even, and padding is 0") {
    const Group whole = quantize({7, -7, 3, -4, 0, 1, -0.0F, 6});
    CHECK(whole.scale_bits == 0x3C00);
    CHECK(std::vector<int>(whole.values.begin(), whole.values.begin() + 8) ==
          std::vector<int>{7, -7, 3, -4, 0, 1, 0, 6});
    CHECK(std::count(whole.values.begin() + 8, whole.values.end(), 0) == 24);

    std::vector<float> sevens(32, 7.0F);
    for (std::size_t o = 0; o < 4; ++o) sevens[o] = static_cast<float>(o) + 0.5F;
    const Group ties = quantize(sevens);
    CHECK(ties.scale_bits == 0x3C00);
    CHECK(std::vector<int>(ties.values.begin(), ties.values.begin() + 5) == std::vector<int>{0, 2, 2, 4, 7});
}

TEST_CASE("a scale has the least squared error: never worse than the largest weight's, usually better") {
    Random random;
    INFO(random.replay());
    double chosen = 0;
    double plain = 0;
    for (int round = 0; round < 500; ++round) {
        std::vector<float> weights(static_cast<std::size_t>(random.integer(1, 32)));
        for (float& weight : weights) {
            weight = random.uniform(-1.0F, 1.0F) * random.uniform(0.0F, 0.01F) * 4;
        }
        const Group group = quantize(weights);
        for (const int value : group.values) REQUIRE(std::abs(value) <= 7);
        const double error = group.squared_error(weights);
        REQUIRE(error <= plain_squared_error(weights) * (1 + 1e-5) + 1e-12);
        chosen += error;
        plain += plain_squared_error(weights);
    }
    CHECK(chosen < 0.97 * plain);
}

TEST_CASE("weights too small for an FP16 scale become 0; too large or non-finite ones are reported") {
    for (const float tiny : {0.0F, 1e-38F, 1e-8F}) {
        const Group group = quantize({tiny, -tiny, tiny});
        CHECK(group.scale_bits == 0);
        CHECK(std::count(group.values.begin(), group.values.end(), 0) == 32);
    }
    CHECK(quantize({458000, -458000}).values[1] == -7);
    for (const float wrong : {459000.0F, std::numeric_limits<float>::max(), std::nanf(""),
                              std::numeric_limits<float>::infinity()}) {
        CHECK(quantize({1, wrong}).scale_bits >= 0x7C00);
        CHECK(quantize({-wrong, 1}).scale_bits >= 0x7C00);
    }
}

TEST_CASE("INT4 dense weights are at the right input and output, from either order") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const ModelFile int4 = narrow.quantized(narrow.baseline, "int4");
    CHECK(int4.description().variant == "int8");
    CHECK(int4.description().lineage.back() == "quantize --scope dense --dense int4");
    int4.verify_checksums();
    for (const model::DenseLayer& layer : narrow.network.dense_layers()) {
        CAPTURE(layer.name);
        CHECK(int4.is_int4(layer.name));
        CHECK_FALSE(int4.is_int8(layer.name));
        CHECK(int4.order(layer) == model::DenseOrder::input_major);
        int4.check_int4_scales(layer);
        const auto& expected = narrow.weights.values(layer.name + ".weight");
        const std::size_t groups = (layer.outputs + 31) / 32;
        const auto packed = int4.weight(layer).as<std::uint8_t>();
        const auto scales = int4.tensor(layer.name + ".weight_int4_scale").as<std::uint16_t>();
        REQUIRE(packed.size() == layer.inputs * groups * 16);
        REQUIRE(scales.size() == layer.inputs * groups);
        for (std::size_t i = 0; i < layer.inputs; ++i) {
            for (std::size_t g = 0; g < groups; ++g) {
                std::vector<float> group;
                for (std::size_t o = g * 32; o < std::min(g * 32 + 32, layer.outputs); ++o) {
                    group.push_back(expected[o * layer.inputs + i]);
                }
                std::array<std::uint8_t, 16> bytes{};
                REQUIRE(scales[i * groups + g] == quantize_group(group, bytes.data()));
                REQUIRE(std::equal(bytes.begin(), bytes.end(), packed.data() + (i * groups + g) * 16));
            }
        }
    }

    const ModelFile transposed =
        narrow.quantized(narrow.weights.write_input_major(narrow.folder / "input-major"), "from-input-major");
    for (const model::Tensor& tensor : int4.tensors()) {
        CAPTURE(tensor.name);
        const auto bytes = transposed.tensor(tensor.name).bytes;
        CHECK(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    }
}

TEST_CASE("a session computes with the dequantised INT4 weights, independent of threads and batch") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const ModelFile int4 = narrow.quantized(narrow.baseline, "int4");
    const ModelFile plain = dequantized(narrow, int4);
    for (const std::size_t size : {32U, 224U}) {
        CAPTURE(size);
        std::vector<float> input(2 * 3 * size * size);
        narrow.random.fill(input, -2.0F, 2.0F);
        const auto expected =
            logits(plain.path(), {.input_height = size, .input_width = size, .batch = 2}, input);
        const auto found =
            logits(int4.path(), {.threads = 1, .input_height = size, .input_width = size, .batch = 2}, input);
        CHECK(relative_l2(found, expected) <= 1e-5);
        CHECK(found == logits(int4.path(),
                              {.threads = 3, .input_height = size, .input_width = size, .batch = 2}, input));
        input.resize(input.size() / 2);
        const auto alone =
            logits(int4.path(), {.threads = 2, .input_height = size, .input_width = size}, input);
        CHECK(std::equal(alone.begin(), alone.end(), found.begin()));
    }

    const std::vector<PlanStep> plan =
        Session(Model::open(int4.path()), {.input_height = 64, .input_width = 64}).plan();
    CHECK(plan.at(plan.size() - 4).layer == "average pool");
    CHECK(plan.back().kernel.starts_with("dense_int4_"));
    CHECK(plan.back().weight_bytes == 33 * (16 + 2));
}

TEST_CASE("a negative or non-finite scale is refused on writing, and by sessions, which read all scales") {
    NarrowModel narrow;
    const ModelFile int4 = narrow.quantized(narrow.baseline, "int4");
    for (const unsigned bits : {0x7C00U, 0x7E01U, 0x8001U, 0xFC00U}) {
        const auto wrong = static_cast<std::uint16_t>(bits);
        CAPTURE(bits);
        const model::Tensor& scales = int4.tensor("classifier.3.weight_int4_scale");
        const auto halves = scales.as<std::uint16_t>();
        std::vector<std::uint16_t> changed(halves.begin(), halves.end());
        changed[3] = wrong;
        std::vector<model::Tensor> tensors = int4.tensors();
        for (model::Tensor& tensor : tensors) {
            if (tensor.name == scales.name) tensor.bytes = std::as_bytes(std::span(changed));
        }
        const auto path = narrow.folder / "wrong";
        const Containing problem(
            "wrong: 1 problem with its tensors:\n  classifier.3.weight_int4_scale: element 3: expected a "
            "finite "
            "number that is not negative, found the half 0x");
        CHECK(error_of(ErrorKind::bad_input,
                       [&] { model::write_model(path, int4.description(), tensors); }) == problem);
        model::write_safetensors(path, int4.file().metadata(), tensors);
        const Model opened = Model::open(path);
        CHECK(error_of(ErrorKind::bad_input,
                       [&] { Session session(opened, {.input_height = 32, .input_width = 32}); }) == problem);
    }
}

TEST_CASE("a weight that does not fit INT4 is reported with tensor and input, and nothing is written") {
    NarrowModel narrow;
    narrow.weights.values("classifier.3.weight")[5 * 40 + 17] = 1e30F;
    const ModelFile large = narrow.weights.write(narrow.folder / "large");
    CHECK(
        error_of(ErrorKind::bad_input,
                 [&] { quantize_dense(large, narrow.folder / "out", DenseType::int4); }) ==
        Containing("large: tensor classifier.3.weight: input 17: expected finite weights of magnitudes below "
                   "458,000"));
    CHECK_FALSE(std::filesystem::exists(narrow.folder / "out"));
}

TEST_CASE(
    "a model with INT4 weights is not quantised again, and changing the dense order does not affect it") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const ModelFile int4 = narrow.quantized(narrow.baseline, "int4");
    for (const DenseType type : {DenseType::int8, DenseType::int4}) {
        CHECK(error_of(ErrorKind::bad_input, [&] { quantize_dense(int4, narrow.folder / "again", type); }) ==
              Containing("classifier.0: expected FP32 weights, found INT4: the model is quantised already"));
    }
    CHECK_FALSE(std::filesystem::exists(narrow.folder / "again"));

    reorder_dense(int4, narrow.folder / "reordered", model::DenseOrder::output_major);
    const ModelFile reordered = ModelFile::open(narrow.folder / "reordered");
    CHECK(reordered.tensors().size() == int4.tensors().size());
    for (const model::Tensor& tensor : int4.tensors()) {
        CAPTURE(tensor.name);
        const auto bytes = reordered.tensor(tensor.name).bytes;
        CHECK(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    }
}

TEST_CASE("pruning must precede INT4 if dense layers would lose columns; otherwise it does not change them") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const ModelFile int4 = narrow.quantized(narrow.baseline, "int4");
    CHECK(error_of(ErrorKind::usage, [&] { plan_pruning(int4, {.ratio = 0.3, .layers = {14}}); }) ==
          Containing("found classifier.0 in INT4; prune first, then quantise"));
    prune_model(int4, plan_pruning(int4, {.ratio = 0.3, .layers = {8}}), narrow.folder / "pruned");
    const ModelFile pruned = ModelFile::open(narrow.folder / "pruned");
    CHECK(pruned.description().variant == "pruned-int8");
    CHECK(pruned.is_int4("classifier.0"));
}

}  // namespace vgg19::converter
