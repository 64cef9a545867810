// Factored models, and what can be done with them: sessions, quantisation, pruning, the order of weights.
#include "converter/factorize/factorize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/import/reorder.h"
#include "converter/prune/prune.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"
#include "engine/model/model_access.h"
#include "engine/testing/error_of.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/isas.h"
#include "vgg19/session.h"

namespace vgg19::converter {

namespace {

using kernels::testing::isa_names_of_this_cpu;
using kernels::testing::Random;
using kernels::testing::relative_l2;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

constexpr std::size_t true_rank = 5;

model::Network network() {
    return model::Network::parse("20 M 33 17 M 40 M 31 M 48 M", "70 33 10");
}

/// Makes a layer's weights a product of matrices of rank `true_rank`.
void make_low_rank(testing::RandomModel& weights, const model::DenseLayer& layer, Random& random) {
    std::vector<float> left(layer.outputs * true_rank);
    std::vector<float> right(true_rank * layer.inputs);
    random.fill(left, -1, 1);
    random.fill(right, -1, 1);
    const double scale = 1.5 / std::sqrt(static_cast<double>(layer.inputs));
    std::vector<float>& values = weights.values(model::weight_name(layer.name));
    for (std::size_t i = 0; i < values.size(); ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < true_rank; ++k) {
            sum +=
                double{left[i / layer.inputs * true_rank + k]} * right[k * layer.inputs + i % layer.inputs];
        }
        values[i] = static_cast<float>(sum * scale);
    }
}

struct Fixture {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{network(), random};

    explicit Fixture(std::uint32_t draw = 0) : random(draw) {
        const model::Network whole = network();
        for (const model::DenseLayer& layer : whole.dense_layers()) make_low_rank(weights, layer, random);
    }
    model::ModelFile baseline(bool input_major = true) {
        const std::string path = folder / "baseline";
        return input_major ? weights.write_input_major(path) : weights.write(path);
    }
    model::ModelFile factored(const model::ModelFile& model, std::vector<std::string> layers = {}) {
        factorize_model(model, {.layers = std::move(layers), .ranks = {true_rank}}, folder / "factored");
        return model::ModelFile::open(folder / "factored");
    }
    std::vector<float> input(const SessionOptions& options) {
        std::vector<float> values(options.batch * 3 * options.input_size().pixels());
        random.fill(values, -2.0F, 2.0F);
        return values;
    }
};

std::vector<float> logits(const std::filesystem::path& path, const SessionOptions& options,
                          const std::vector<float>& input) {
    const Model model = Model::open(path);
    Session session(model, options);
    std::vector<float> result(options.batch * model.classes());
    session.run(input, result);
    return result;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

const std::vector<std::string> all_layers = {"classifier.0", "classifier.3", "classifier.6"};

}  // namespace

TEST_CASE("Layers of low rank give the same logits factored, in both orders, on every ISA") {
    Fixture fixture;
    for (const bool input_major : {true, false}) {
        const model::ModelFile baseline = fixture.baseline(input_major);
        const model::ModelFile factored = fixture.factored(baseline, all_layers);
        for (const std::string& isa : isa_names_of_this_cpu()) {
            for (const std::size_t size :
                 {32U, 96U}) {  // small: the average pool is folded into the weights; large: it runs
                CAPTURE(input_major);
                CAPTURE(isa);
                CAPTURE(size);
                const SessionOptions options = {
                    .threads = 2, .input_height = size, .input_width = size, .batch = 3, .isa = isa};
                const std::vector<float> input = fixture.input(options);
                CHECK(relative_l2(logits(factored.path(), options, input),
                                  logits(baseline.path(), options, input)) < 2e-5);
            }
        }
    }
}

TEST_CASE("A factored model has a matching description and the names of torch's Sequential") {
    Fixture fixture;
    const model::ModelFile baseline = fixture.baseline(false);
    const auto layers =
        factorize_model(baseline, {.layers = {}, .ranks = {4, 3}}, fixture.folder / "factored");
    const auto factored = model::ModelFile::open(fixture.folder / "factored");
    factored.verify_checksums();
    CHECK(factored.network().classifier_text() == "4:70 3:33 10");
    CHECK(factored.description().variant == "factored");
    CHECK(factored.description().lineage.back() == "factorize --rank 4,3 --layers classifier.0,classifier.3");
    CHECK(factored.tensor("classifier.0.0.weight").shape == std::vector<std::size_t>{4, 48 * 49});
    CHECK(factored.tensor("classifier.0.1.weight").shape == std::vector<std::size_t>{70, 4});
    for (const float bias : factored.tensor("classifier.0.0.bias").as<float>()) CHECK(bias == 0);
    const auto old_bias = baseline.tensor("classifier.0.bias").as<float>();
    const auto new_bias = factored.tensor("classifier.0.1.bias").as<float>();
    CHECK(std::equal(old_bias.begin(), old_bias.end(), new_bias.begin(), new_bias.end()));

    REQUIRE(layers.size() == 2);
    CHECK(layers[0].name == "classifier.0");
    CHECK(layers[0].rank == 4);
    CHECK(layers[0].relative_error > 0.01);
    CHECK(layers[0].parameters_before == 70 * (48 * 49 + 1));
    CHECK(layers[0].parameters_before - layers[0].parameters_after + layers[1].parameters_before -
              layers[1].parameters_after ==
          baseline.network().parameters() - factored.network().parameters());
}

TEST_CASE("The energy determines the rank, and layers that would grow are not factored") {
    Fixture fixture;
    auto layers = factorize_model(fixture.baseline(), {.layers = all_layers, .energy = 0.999999},
                                  fixture.folder / "factored");
    for (const FactorizedLayer& layer : layers) {
        CAPTURE(layer.name);
        CHECK(layer.rank == true_rank);
        CHECK(layer.relative_error <= 1e-3);
    }
    CHECK(model::ModelFile::open(fixture.folder / "factored").description().lineage.back() ==
          "factorize --energy 0.999999 --layers classifier.0,classifier.3,classifier.6");

    // The second layer has full rank: keeping most of its energy needs more weights than it has.
    Random random;
    random.fill(fixture.weights.values("classifier.3.weight"), -0.2F, 0.2F);
    layers = factorize_model(fixture.baseline(), {.layers = {}, .energy = 0.99}, fixture.folder / "factored");
    CHECK(layers[0].rank == true_rank);
    CHECK(layers[1].rank == 0);
    CHECK(layers[1].parameters_after == layers[1].parameters_before);
    CHECK(model::ModelFile::open(fixture.folder / "factored").network().classifier_text() == "5:70 33 10");
    CHECK(error_of(ErrorKind::usage, [&] {
              factorize_model(fixture.baseline(), {.layers = {"classifier.3"}, .energy = 0.99},
                              fixture.folder / "factored");
          }) == Containing("energy 0.99: expected a share that saves parameters"));
}

TEST_CASE("Quantised factors see inputs of both signs") {
    // In a random network the logits may nearly cancel, so that errors look large in comparison. So use the
    // median of several networks. If negative inputs were treated as zero, half of the second factors'
    // results would be wrong.
    constexpr std::uint32_t networks = 9;
    INFO(Random::replay());
    for (const bool input_major : {true, false}) {
        for (const std::string& isa : isa_names_of_this_cpu()) {
            CAPTURE(input_major);
            CAPTURE(isa);
            std::vector<double> int8_distances;
            std::vector<double> int4_distances;
            for (std::uint32_t network = 0; network < networks; ++network) {
                Fixture fixture(network);
                const model::ModelFile factored = fixture.factored(fixture.baseline(input_major), all_layers);
                quantize_dense(factored, fixture.folder / "int8", DenseType::int8);
                quantize_dense(factored, fixture.folder / "int4", DenseType::int4);
                CHECK(Model::open(fixture.folder / "int8").variant() == "factored-int8");
                const SessionOptions options{
                    .threads = 2, .input_height = 64, .input_width = 64, .batch = 2, .isa = isa};
                const std::vector<float> input = fixture.input(options);
                const std::vector<float> expected = logits(factored.path(), options, input);
                int8_distances.push_back(
                    relative_l2(logits(fixture.folder / "int8", options, input), expected));
                int4_distances.push_back(
                    relative_l2(logits(fixture.folder / "int4", options, input), expected));
            }
            CHECK(median(int8_distances) < 0.05);
            CHECK(median(int4_distances) < 0.45);
        }
    }
}

TEST_CASE("A factored INT8 model's result does not depend on batch and threads") {
    Fixture fixture;
    quantize_dense(fixture.factored(fixture.baseline()), fixture.folder / "int8", DenseType::int8);
    const SessionOptions three = {.threads = 2, .input_height = 32, .input_width = 32, .batch = 3};
    const SessionOptions one = {.threads = 1, .input_height = 32, .input_width = 32, .batch = 1};
    const std::vector<float> input = fixture.input(three);
    const std::vector<float> together = logits(fixture.folder / "int8", three, input);
    const std::size_t image_size = input.size() / 3;
    for (std::size_t image = 0; image < 3; ++image) {
        const auto begin = input.begin() + static_cast<std::ptrdiff_t>(image * image_size);
        const std::vector<float> alone =
            logits(fixture.folder / "int8", one, {begin, begin + static_cast<std::ptrdiff_t>(image_size)});
        CHECK(std::equal(alone.begin(), alone.end(),
                         together.begin() + static_cast<std::ptrdiff_t>(image * 10)));
    }
}

TEST_CASE("All layers of a factored model can be INT8") {
    Fixture fixture;
    const model::ModelFile factored = fixture.factored(fixture.baseline(), all_layers);
    testing::Pictures pictures{fixture.folder / "pictures.bin", fixture.random};
    const auto statistics = calibrate(factored, pictures.images(8));
    write_full(factored, quantize_all(factored, statistics, {}), "quantize --scope all",
               fixture.folder / "full");
    const Model full = Model::open(fixture.folder / "full");
    CHECK(full.variant() == "factored-int8-full");
    CHECK(model::file_of(full).is_int8("classifier.3.1"));
    const SessionOptions options = {.threads = 1, .input_height = 64, .input_width = 64, .batch = 1};
    const std::vector<float> input = fixture.input(options);
    CHECK(relative_l2(logits(fixture.folder / "full", options, input),
                      logits(factored.path(), options, input)) < 0.3);
}

TEST_CASE("Filters of a factored model can be pruned like the original's") {
    Fixture fixture;
    const PruneOptions options = {.ratio = 0.3};
    for (const bool input_major : {true, false}) {
        CAPTURE(input_major);
        const model::ModelFile baseline = fixture.baseline(input_major);
        const model::ModelFile factored = fixture.factored(baseline);
        prune_model(baseline, plan_pruning(baseline, options), fixture.folder / "pruned");
        prune_model(factored, plan_pruning(factored, options), fixture.folder / "pruned-factored");
        const SessionOptions session = {.threads = 1, .input_height = 96, .input_width = 96, .batch = 1};
        const std::vector<float> input = fixture.input(session);
        CHECK(relative_l2(logits(fixture.folder / "pruned-factored", session, input),
                          logits(fixture.folder / "pruned", session, input)) < 2e-5);
    }
}

TEST_CASE("The order of a factored model's weights can be changed and changed back") {
    Fixture fixture;
    const model::ModelFile factored = fixture.factored(fixture.baseline());
    reorder_dense(factored, fixture.folder / "plain", model::DenseOrder::output_major);
    const auto plain = model::ModelFile::open(fixture.folder / "plain");
    CHECK(plain.tensor("classifier.0.0.weight").shape == std::vector<std::size_t>{true_rank, 48 * 49});
    reorder_dense(plain, fixture.folder / "back", model::DenseOrder::input_major);
    const auto back = model::ModelFile::open(fixture.folder / "back");
    for (const model::DenseLayer& layer : factored.network().dense_layers()) {
        const auto expected = factored.weight(layer).bytes;
        const auto found = back.weight(layer).bytes;
        CHECK(std::equal(expected.begin(), expected.end(), found.begin(), found.end()));
    }
}

TEST_CASE("Models and options that cannot be factored are errors") {
    Fixture fixture;
    const model::ModelFile baseline = fixture.baseline();
    const auto problem = [&](const FactorizeOptions& options) {
        return error_of(ErrorKind::usage,
                        [&] { factorize_model(baseline, options, fixture.folder / "factored"); });
    };
    CHECK(problem({}) == Containing("either ranks or an energy"));
    CHECK(problem({.layers = {}, .ranks = {1}, .energy = 0.5}) == Containing("either ranks or an energy"));
    CHECK(problem({.layers = {}, .ranks = {}, .energy = 1.5}) == Containing("below 1, found 1.5"));
    CHECK(problem({.layers = {"classifier.1"}, .ranks = {2}}) ==
          Containing("(classifier.0 classifier.3 classifier.6), found 'classifier.1'"));
    CHECK(problem({.layers = {"classifier.0", "classifier.0"}, .ranks = {2}}) == Containing("once"));
    CHECK(problem({.layers = {}, .ranks = {2, 2, 2}}) == Containing("2, one each, found 3"));
    // 70 × 33 weights: 23 · (70 + 33) are more.
    CHECK(problem({.layers = {"classifier.3"}, .ranks = {23}}) ==
          "classifier.3: expected a rank from 1 to 22, which saves parameters, found 23");
    CHECK_FALSE(std::filesystem::exists(fixture.folder / "factored"));

    const model::ModelFile factored = fixture.factored(baseline);
    CHECK(error_of(ErrorKind::usage, [&] {
              factorize_model(factored, {.layers = {"classifier.0"}, .ranks = {2}}, fixture.folder / "again");
          }) == Containing("not factored yet (classifier.6), found 'classifier.0'"));
    quantize_dense(baseline, fixture.folder / "int8", DenseType::int8);
    CHECK(error_of(ErrorKind::bad_input, [&] {
              factorize_model(model::ModelFile::open(fixture.folder / "int8"), {.layers = {}, .ranks = {2}},
                              fixture.folder / "again");
          }) == Containing("expected FP32 weights, found INT8"));
    CHECK(error_of(ErrorKind::usage, [&] {
              factorize_model(baseline, {.layers = {}, .ranks = {2}}, baseline.path());
          }) == Containing("expected another file"));
}

}  // namespace vgg19::converter
