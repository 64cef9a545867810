#include "converter/prune/prune.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>

#include "converter/quantize/quantize.h"
#include "converter/testing/random_model.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using model::ModelFile;
using model::Network;

/// A network like VGG-11; its convolutions are features 0 3 6 8 11 13 16 18.
Network narrow_network() {
    return Network::parse("5 M 15 M 25 12 M 10 16 M 33 17 M", "20 12 10");
}

struct NarrowModel {
    kernels::testing::Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{narrow_network(), random};

    ModelFile open() const { return weights.write(folder / "model"); }
};

std::string message_of(const auto& action, ErrorKind kind) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(error.kind() == kind);
        return error.what();
    }
    return "no error";
}

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Sets each filter of a layer to a single value, so that the order of norms is known.
void set_filters(testing::RandomModel& weights, const std::string& layer,
                 const std::vector<float>& magnitudes) {
    auto& values = weights.values(layer + ".weight");
    const std::size_t filter_size = values.size() / magnitudes.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = magnitudes[i / filter_size] * (i % 2 == 0 ? 1.0F : -1.0F);
    }
}

bool contains(const std::vector<std::size_t>& values, std::size_t value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

const std::vector<std::size_t>& removed_from(const PrunePlan& plan, std::size_t features_index) {
    static const std::vector<std::size_t> none;
    for (const auto& cut : plan.cuts) {
        if (cut.part == Part::features && cut.index == features_index) return cut.removed;
    }
    return none;
}

PrunePlan plan_from_text(const std::string& text) {
    return PrunePlan::from_json(model::Json::parse(text, "plan.json"), "plan.json");
}

}  // namespace

TEST_CASE("the number of removed filters is rounded with halves to even") {
    NarrowModel narrow;
    const auto plan = plan_pruning(narrow.open(), {.ratio = 0.1});
    std::vector<std::size_t> counts;
    for (const auto& cut : plan.cuts) counts.push_back(cut.removed.size());
    //                              of 5  15 25 12 10 16 33 17
    CHECK(counts == std::vector<std::size_t>{0, 2, 2, 1, 1, 2, 3, 2});
}

TEST_CASE("the filters with the smallest norm are removed; of equal ones, the higher index") {
    NarrowModel narrow;
    set_filters(narrow.weights, "features.11", {5, 1, 3, 1, 2, 1, 7, 8, 9, 2});
    const auto model = narrow.open();
    const auto removed = [&](double ratio) {
        return plan_pruning(model, {.ratio = ratio, .layers = {11}}).cuts.at(0).removed;
    };
    CHECK(removed(0.1) == std::vector<std::size_t>{5});
    CHECK(removed(0.2) == std::vector<std::size_t>{3, 5});
    CHECK(removed(0.4) == std::vector<std::size_t>{1, 3, 5, 9});
    CHECK(removed(0.9) == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 9});
}

TEST_CASE("norms are summed in double") {
    NarrowModel narrow;
    set_filters(narrow.weights, "features.11", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
    const std::size_t filter_size = narrow.weights.values("features.11.weight").size() / 10;
    narrow.weights.values("features.11.weight")[3 * filter_size] = 1 - 0x1p-24F;  // lost in a sum of floats
    CHECK(plan_pruning(narrow.open(), {.ratio = 0.1, .layers = {11}}).cuts.at(0).removed ==
          std::vector<std::size_t>{3});
}

TEST_CASE("widths can be rounded up to a multiple, never beyond what the layer has") {
    NarrowModel narrow;
    const auto model = narrow.open();
    const auto widths = [&](double ratio, std::size_t round_to) {
        return pruned_network(model.network(), plan_pruning(model, {.ratio = ratio, .round_to = round_to}))
            .features_text();
    };
    CHECK(widths(0.5, 1) == "3 M 7 M 13 6 M 5 8 M 17 9 M");
    CHECK(widths(0.5, 4) == "4 M 8 M 16 8 M 8 8 M 20 12 M");
    CHECK(widths(0.5, 16) == "5 M 15 M 16 12 M 10 16 M 32 16 M");
    CHECK(widths(0.0, 16) == narrow_network().features_text());
}

TEST_CASE("without a list, the nine deepest convolutions are pruned") {
    const vgg19::testing::TemporaryFolder folder;
    kernels::testing::Random random;
    const auto network = Network::parse("4 4 M 4 4 M 5 5 5 10 M 5 5 5 5 M 5 5 5 5 M", "8 8 5");
    const auto plan = plan_pruning(testing::RandomModel(network, random).write(folder / "model"), {});
    std::vector<std::size_t> layers;
    for (const auto& cut : plan.cuts) layers.push_back(cut.index);
    CHECK(layers == std::vector<std::size_t>{16, 19, 21, 23, 25, 28, 30, 32, 34});
    CHECK(plan.origin == "prune --ratio 0.1 --layers 16,19,21,23,25,28,30,32,34");
    CHECK(removed_from(plan, 16).size() == 1);
}

TEST_CASE("options that do not fit the model are refused") {
    NarrowModel narrow;
    const auto model = narrow.open();
    const auto message = [&](const PruneOptions& options) {
        return message_of([&] { plan_pruning(model, options); }, ErrorKind::usage);
    };
    CHECK(message({.ratio = 1}) ==
          "ratio of filters to prune: expected at least 0 and less than 1, found 1.000000");
    CHECK(message({.ratio = -0.1}) ==
          "ratio of filters to prune: expected at least 0 and less than 1, found -0.100000");
    CHECK(message({.ratio = std::numeric_limits<double>::quiet_NaN()}) ==
          "ratio of filters to prune: expected at least 0 and less than 1, found nan");
    CHECK(message({.ratio = 0.95, .layers = {0}}) ==
          "features.0: expected a ratio that leaves at least one of 5 filters, found 0.950000");
    CHECK(message({.round_to = 0}) == "multiple to round widths to: expected at least 1, found 0");
    CHECK(message({.layers = {3, 4}}) ==
          "layers to prune: expected convolutions (0 3 6 8 11 13 16 18), found 4");
    CHECK(message({.layers = {3, 6, 3}}) == "layers to prune: expected each layer once, found 3 again");
}

TEST_CASE("kept weights do not change, and removed channels add their constants") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const auto model = narrow.open();
    const auto plan = plan_pruning(model, {.ratio = 0.3, .layers = {18, 3, 6, 11}});
    CHECK(plan.origin == "prune --ratio 0.3 --layers 3,6,11,18");
    prune_model(model, plan, narrow.folder / "pruned");

    const auto pruned = ModelFile::open(narrow.folder / "pruned");
    pruned.verify_checksums();
    CHECK(pruned.network().features_text() == "5 M 11 M 17 12 M 7 16 M 33 12 M");
    CHECK(pruned.description().variant == "pruned");
    CHECK(pruned.description().lineage == std::vector<std::string>{"random", plan.origin});

    // Walks through the old model's weights, and compares the kept ones with the new model's.
    std::vector<std::size_t> removed_inputs;
    const std::vector<float>* input_bias = nullptr;
    const auto compare = [&](const std::string& layer, std::size_t channels, std::size_t area,
                             const std::vector<std::size_t>& removed_outputs) {
        CAPTURE(layer);
        const auto& weight = narrow.weights.values(layer + ".weight");
        const auto& bias = narrow.weights.values(layer + ".bias");
        auto left = pruned.tensor(layer + ".weight").as<float>().begin();
        auto left_bias = pruned.tensor(layer + ".bias").as<float>().begin();
        std::size_t i = 0;
        for (std::size_t output = 0; output < bias.size(); ++output) {
            const bool output_stays = !contains(removed_outputs, output);
            double folded = bias[output];
            for (std::size_t channel = 0; channel < channels; ++channel) {
                const bool input_stays = !contains(removed_inputs, channel);
                for (std::size_t tap = 0; tap < area; ++tap, ++i) {
                    if (output_stays && input_stays) REQUIRE(*left++ == weight[i]);
                    if (input_stays) continue;
                    folded += std::max(0.0, double{(*input_bias)[channel]}) * double{weight[i]};
                }
            }
            if (output_stays) REQUIRE(*left_bias++ == doctest::Approx(folded).epsilon(1e-6));
        }
        CHECK(left == pruned.tensor(layer + ".weight").as<float>().end());
        CHECK(left_bias == pruned.tensor(layer + ".bias").as<float>().end());
        removed_inputs = removed_outputs;
        input_bias = &bias;
    };
    for (const auto& layer : model.network().convolutions()) {
        compare(layer.name, layer.input_channels, 9, removed_from(plan, layer.features_index));
    }
    compare("classifier.0", 17, 49, {});
    compare("classifier.3", 20, 1, {});
    compare("classifier.6", 12, 1, {});
}

TEST_CASE("outputs of hidden layers are removed, and their constants go to the next layer's bias") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const auto model = narrow.open();
    const auto plan = plan_pruning(model, {.ratio = 0.3, .layers = {18}, .dense = true});
    CHECK(plan.origin == "prune --ratio 0.3 --layers 18 --dense");
    REQUIRE(plan.cuts.size() == 3);
    CHECK(plan.cuts[1].layer() == "classifier.0");
    CHECK(plan.cuts[1].removed.size() == 6);  // of 20
    CHECK(plan.cuts[2].layer() == "classifier.3");
    CHECK(plan.cuts[2].removed.size() == 4);  // of 12
    prune_model(model, plan, narrow.folder / "pruned");
    const auto pruned = ModelFile::open(narrow.folder / "pruned");
    pruned.verify_checksums();
    CHECK(pruned.network().classifier_text() == "14 8 10");
    CHECK(pruned.network().dense_layers()[0].inputs == std::size_t{12} * 49);

    const auto& input_bias = narrow.weights.values("classifier.0.bias");
    const auto& weight = narrow.weights.values("classifier.3.weight");
    const auto& bias = narrow.weights.values("classifier.3.bias");
    auto left = pruned.tensor("classifier.3.weight").as<float>().begin();
    auto left_bias = pruned.tensor("classifier.3.bias").as<float>().begin();
    for (std::size_t output = 0; output < 12; ++output) {
        if (contains(plan.cuts[2].removed, output)) continue;
        double folded = bias[output];
        for (std::size_t input = 0; input < 20; ++input) {
            if (contains(plan.cuts[1].removed, input)) {
                folded += std::max(0.0, double{input_bias[input]}) * double{weight[output * 20 + input]};
            } else {
                REQUIRE(*left++ == weight[output * 20 + input]);
            }
        }
        REQUIRE(*left_bias++ == doctest::Approx(folded).epsilon(1e-6));
    }
    CHECK(left == pruned.tensor("classifier.3.weight").as<float>().end());
    CHECK(pruned.tensor("classifier.6.weight").shape == std::vector<std::size_t>{10, 8});
}

TEST_CASE("of a factored hidden layer, the second factor's outputs are removed") {
    NarrowModel narrow;
    narrow.weights = testing::RandomModel(narrow_network().with_ranks({7, 6, 0}), narrow.random);
    INFO(narrow.random.replay());
    const auto model = narrow.open();
    const PrunePlan plan = {{{0, 20, {3, 4}, Part::classifier}}, "by hand"};
    prune_model(model, plan, narrow.folder / "pruned");
    const auto pruned = ModelFile::open(narrow.folder / "pruned");
    CHECK(pruned.network().classifier_text() == "7:18 6:12 10");
    CHECK(std::ranges::equal(pruned.tensor("classifier.0.0.weight").bytes,
                             model.tensor("classifier.0.0.weight").bytes));
    const auto second = pruned.tensor("classifier.0.1.weight").as<float>();
    CHECK(second.size() == 18 * 7);
    CHECK(second[3 * 7] == narrow.weights.values("classifier.0.1.weight")[5 * 7]);
    const auto& input_bias = narrow.weights.values("classifier.0.1.bias");
    const auto& weight = narrow.weights.values("classifier.3.0.weight");
    const auto bias = pruned.tensor("classifier.3.0.bias").as<float>();
    for (std::size_t row = 0; row < 6; ++row) {
        double expected = narrow.weights.values("classifier.3.0.bias")[row];
        for (const std::size_t input : {3U, 4U}) {
            expected += std::max(0.0, double{input_bias[input]}) * double{weight[row * 20 + input]};
        }
        CHECK(bias[row] == doctest::Approx(expected).epsilon(1e-6));
    }
}

TEST_CASE("the hidden layers' smallest outputs are removed first, in both orders of weights") {
    NarrowModel narrow;
    set_filters(narrow.weights, "classifier.3", {5, 1, 3, 1, 2, 1, 7, 8, 9, 2, 6, 4});
    const auto plan = [](const ModelFile& model) {
        return plan_pruning(model, {.ratio = 0.4, .layers = {0}, .dense = true}).cuts.back().removed;
    };
    CHECK(plan(narrow.open()) == std::vector<std::size_t>{1, 3, 4, 5, 9});
    CHECK(plan(narrow.weights.write_input_major(narrow.folder / "input-major")) ==
          std::vector<std::size_t>{1, 3, 4, 5, 9});
}

TEST_CASE("input-major dense weights are pruned like the others, and stay input-major") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    const auto model = narrow.open();
    const auto input_major = narrow.weights.write_input_major(narrow.folder / "input-major");
    const auto plan = plan_pruning(model, {.ratio = 0.3, .dense = true});
    prune_model(model, plan, narrow.folder / "pruned");
    prune_model(input_major, plan, narrow.folder / "pruned-input-major");

    const auto expected = ModelFile::open(narrow.folder / "pruned");
    const auto found = ModelFile::open(narrow.folder / "pruned-input-major");
    for (const auto& layer : expected.network().dense_layers()) {
        CAPTURE(layer.name);
        REQUIRE(found.order(layer) == model::DenseOrder::input_major);
        const auto plain = expected.weight(layer).as<float>();
        const auto transposed = found.weight(layer).as<float>();
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < plain.size(); ++i) {
            const std::size_t position = i % layer.inputs * layer.outputs + i / layer.inputs;
            if (plain[i] != transposed[position]) ++wrong;
        }
        CHECK(wrong == 0);
        const auto bias = expected.tensor(layer.name + ".bias").as<float>();
        const auto found_bias = found.tensor(layer.name + ".bias").as<float>();
        CHECK(std::equal(bias.begin(), bias.end(), found_bias.begin(), found_bias.end()));
    }
}

TEST_CASE("a plan that was written and read again gives the same file") {
    NarrowModel narrow;
    const auto model = narrow.open();
    const auto plan = plan_pruning(model, {.ratio = 0.25, .round_to = 4});
    const auto replayed = plan_from_text(plan.to_json().dump(2));
    CHECK(replayed.origin == plan.origin);
    CHECK(replayed.origin == "prune --ratio 0.25 --layers 0,3,6,8,11,13,16,18 --round-to 4");
    prune_model(model, plan, narrow.folder / "first");
    prune_model(model, replayed, narrow.folder / "second");
    CHECK(content(narrow.folder / "first") == content(narrow.folder / "second"));
}

TEST_CASE("errors in malformed plans give the place and what was expected") {
    const std::string head = R"({"format": "vgg19-prune-plan", "format_version": 1, "origin": "", "cuts": [)";
    const auto cut = [](const char* layer, const char* channels, const char* removed) {
        return std::string(R"({"layer": ")") + layer + R"(", "channels": )" + channels + R"(, "removed": )" +
               removed + "}";
    };
    const std::string cut_place = "plan.json: cuts[0]: ";
    struct Malformed {
        std::string text;
        std::string message;
    };
    const std::vector<Malformed> all = {
        {"[]", R"(plan.json: expected a member "format", found none)"},
        {R"({"format": 1})", R"(plan.json: expected a string in "format", found 1)"},
        {R"({"format": "other"})", R"(plan.json: expected the format "vgg19-prune-plan", found "other")"},
        {R"({"format": "vgg19-prune-plan", "format_version": 2})",
         "plan.json: expected format version 1, found 2"},
        {R"({"format": "vgg19-prune-plan", "format_version": 1, "origin": "", "cuts": {}})",
         R"(plan.json: expected an array in "cuts", found {})"},
        {head + "7]}", cut_place + R"(expected a member "layer", found none)"},
        {head + cut("classifier", "4", "[]") + "]}",
         cut_place + R"(expected a layer such as "features.16" or "classifier.0", found "classifier")"},
        {head + cut("features.016", "4", "[]") + "]}",
         cut_place + R"(expected a layer such as "features.16" or "classifier.0", found "features.016")"},
        {head + cut("features.3", "-4", "[]") + "]}",
         cut_place + "channels: expected a whole number that is not negative, found -4"},
        {head + cut("features.3", "4", "[1.5]") + "]}",
         cut_place + "removed: expected a whole number that is not negative, found 1.5"},
        {head + cut("features.3", "4", "[4]") + "]}",
         "plan.json: features.3: expected removed channels below 4, found 4"},
        {head + cut("features.3", "4", "[2, 1]") + "]}",
         "plan.json: features.3: expected removed channels in ascending order, found 1 after 2"},
        {head + cut("features.3", "4", "[2, 2]") + "]}",
         "plan.json: features.3: expected removed channels in ascending order, found 2 after 2"},
        {head + cut("features.3", "2", "[0, 1]") + "]}",
         "plan.json: features.3: expected at least one channel to stay, found 2 of 2 removed"},
        {head + cut("features.3", "0", "[]") + "]}",
         "plan.json: features.3: expected at least one channel to stay, found 0 of 0 removed"},
        {head + cut("features.3", "2", "[]") + "," + cut("features.3", "2", "[]") + "]}",
         "plan.json: features.3: expected layers in ascending order, each once; found it after features.3"},
        {head + cut("classifier.3", "2", "[]") + "," + cut("features.8", "2", "[]") + "]}",
         "plan.json: features.8: expected layers in ascending order, each once; found it after classifier.3"},
    };
    for (const auto& [text, message] : all) {
        CHECK(message_of([&text = text] { plan_from_text(text); }, ErrorKind::bad_input) == message);
    }
}

TEST_CASE("a plan for another network is refused, and nothing is written") {
    NarrowModel narrow;
    const auto model = narrow.open();
    const auto message = [&](const PrunePlan& plan) {
        return message_of([&] { prune_model(model, plan, narrow.folder / "pruned"); }, ErrorKind::bad_input);
    };
    CHECK(message({{{3, 16, {0}}}, ""}) ==
          "prune plan: features.3: expected 15 channels, as in the model, found 16");
    CHECK(message({{{3, 15, {0}}, {4, 15, {0}}}, ""}) ==
          "prune plan: expected layers that are convolutions of the model, 5 M 15 M 25 12 M 10 16 M 33 17 M, "
          "or hidden layers of its classifier, 20 12 10; found 1 that are not");
    CHECK(message({{{6, 10, {0}, Part::classifier}}, ""}) ==
          "prune plan: expected layers that are convolutions of the model, 5 M 15 M 25 12 M 10 16 M 33 17 M, "
          "or hidden layers of its classifier, 20 12 10; found 1 that are not");
    CHECK(message({{{3, 20, {0}, Part::classifier}}, ""}) ==
          "prune plan: classifier.3: expected 12 channels, as in the model, found 20");
    CHECK(message({{{3, 15, {15}}}, ""}) ==
          "prune plan: features.3: expected removed channels below 15, found 15");
    CHECK_FALSE(std::filesystem::exists(narrow.folder / "pruned"));
}

TEST_CASE("a pruned model can be pruned again") {
    NarrowModel narrow;
    const auto model = narrow.open();
    prune_model(model, plan_pruning(model, {.ratio = 0.2}), narrow.folder / "once");
    const auto once = ModelFile::open(narrow.folder / "once");
    prune_model(once, plan_pruning(once, {.ratio = 0.5, .layers = {16}}), narrow.folder / "twice");
    const auto twice = ModelFile::open(narrow.folder / "twice");
    CHECK(once.network().features_text() == "4 M 12 M 20 10 M 8 13 M 26 14 M");
    CHECK(twice.network().features_text() == "4 M 12 M 20 10 M 8 13 M 13 14 M");
    CHECK(twice.description().variant == "pruned");
    CHECK(twice.description().lineage.back() == "prune --ratio 0.5 --layers 16");
    CHECK(twice.description().lineage.size() == 3);
}

TEST_CASE("a model with INT8 dense layers keeps its last convolution whole") {
    NarrowModel narrow;
    quantize_dense(narrow.open(), narrow.folder / "int8");
    const auto model = ModelFile::open(narrow.folder / "int8");
    const std::string message =
        (narrow.folder / "int8").string() +
        ": features.18: expected filters to be removed before the dense layers are quantised, found "
        "classifier.0 in INT8; prune first, then quantise";
    CHECK(message_of([&] { plan_pruning(model, {.ratio = 0.2}); }, ErrorKind::usage) == message);
    CHECK(message_of(
              [&] {
                  prune_model(model, {{{18, 17, {0}}}, ""}, narrow.folder / "pruned");
              },
              ErrorKind::usage) == message);
    CHECK_FALSE(std::filesystem::exists(narrow.folder / "pruned"));

    CHECK(message_of(
              [&] {
                  prune_model(model, {{{3, 12, {0}, Part::classifier}}, ""}, narrow.folder / "pruned");
              },
              ErrorKind::usage) ==
          (narrow.folder / "int8").string() +
              ": classifier.3: expected filters to be removed before the dense layers are quantised, found "
              "classifier.3 in INT8; prune first, then quantise");

    prune_model(model, plan_pruning(model, {.ratio = 0.2, .layers = {6, 16}}), narrow.folder / "pruned");
    const auto pruned = ModelFile::open(narrow.folder / "pruned");
    CHECK(pruned.description().variant == "pruned-int8");
    CHECK(pruned.network().features_text() == "5 M 15 M 20 12 M 10 16 M 26 17 M");
    CHECK(pruned.is_int8("classifier.0"));
}

TEST_CASE("the output of pruning must be another file than its input") {
    NarrowModel narrow;
    const auto model = narrow.open();
    const auto before = content(narrow.folder / "model");
    message_of([&] { prune_model(model, plan_pruning(model, {}), narrow.folder / "model"); },
               ErrorKind::usage);
    CHECK(content(narrow.folder / "model") == before);
}

}  // namespace vgg19::converter
