#include "converter/import/names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/testing/checkpoint.h"
#include "engine/testing/error_of.h"

namespace {

using vgg19::ErrorKind;
using vgg19::converter::contiguous_strides;
using vgg19::converter::Module;
using vgg19::converter::modules_of;
using vgg19::converter::recognise_vgg;
using vgg19::converter::StoredTensor;
using vgg19::converter::VggTensors;
using vgg19::converter::testing::Checkpoint;
using vgg19::converter::testing::convolutions_of;
using vgg19::converter::testing::literature_name;
using vgg19::converter::testing::Shape;
using vgg19::model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

using Names = std::vector<std::string>;

TEST_CASE("a VGG is found under any keys and wrappers") {
    struct Case {
        const char* container;
        const char* dense;
        const char* prefix;
    };
    const Case cases[] = {
        {"features", "classifier", ""},
        {"module.features", "module.classifier", "module"},
        {"features.module", "classifier", ""},
        {"state_dict.features.module", "state_dict.classifier", "state_dict"},
        {"_orig_mod.module.features", "_orig_mod.module.classifier", "_orig_mod.module"},
        {"net.features._orig_mod", "net.classifier._orig_mod", "net"},
        {"state_dict.model.backbone.vgg.features", "state_dict.model.backbone.vgg.head",
         "state_dict.model.backbone.vgg"},
        {"model_state_dict.feature", "model_state_dict.fc", "model_state_dict"},
        {"networks.0.features", "networks.0.output", "networks.0"},
        {"backbone.features", "fc", ""},
        {"state_dict.encoder", "state_dict.linear", "state_dict"},
        {"encoder.cnn", "decoder.out.linear", ""},
        {"features._fsdp_wrapped_module", "classifier._fsdp_wrapped_module", ""},
    };
    for (const Case& each : cases) {
        CAPTURE(each.container);
        for (const int depth : {11, 13, 16, 19}) {
            const VggTensors vgg =
                Checkpoint().add_features(depth, each.container).add_layer(each.dense, {7, 4}).found();
            const Network narrow = Network::vgg(depth).with_widths(Shape(vgg.layers.size() - 1, 4));
            CHECK(vgg.network == Network(narrow.features(), {7}, 1));
            CHECK(vgg.prefix == each.prefix);
            CHECK(vgg.tensors == 2 * vgg.layers.size());
            CHECK(vgg.left.empty());
            CHECK(vgg.dense_paths == Names{each.dense});
        }
    }
}

TEST_CASE("the literature's names are recognised, also with batch norm") {
    for (const int depth : {11, 13, 16, 19}) {
        for (const char* prefix : {"", "net.", "module.features."}) {
            CAPTURE(prefix);
            Checkpoint plain;
            plain.add_convolutions(
                depth, [&](std::size_t k) { return prefix + literature_name(depth, k, "conv", "_"); });
            plain.add_layer(std::string(prefix) + "fc6", {5, 4 * 49})
                .add_layer(std::string(prefix) + "fc7", {6, 5});
            CHECK(plain.found().network.classifier_text() == "5 6");
            CHECK_FALSE(plain.found().batch_norm);
            for (std::size_t k = 0; k < convolutions_of(depth).size(); ++k) {
                plain.add_norm(prefix + literature_name(depth, k, "bn", "_"), 4);
            }
            CHECK(plain.found().batch_norm);
            CHECK(plain.found().title == "VGG-" + std::to_string(depth) + " with batch norm");
        }
    }
    for (const auto& style : {std::pair("Conv", "_"),
                              {"conv_", "_"},
                              {"conv", "-"},
                              {"block", "_conv"},
                              {"block", ".conv"},
                              {"stage_", ".conv_"}}) {
        const char* kind = style.first;
        const char* separator = style.second;
        CAPTURE(kind);
        Checkpoint other;
        other.add_convolutions(16, [&](std::size_t k) { return literature_name(16, k, kind, separator); });
        CHECK(other.add_layer("fc", {3, 4}).found().title == "VGG-16");
    }
    Checkpoint nested;
    nested.add_convolutions(
        16, [&](std::size_t k) { return literature_name(16, k, "conv", "_") + ".0"; }, false);
    for (std::size_t k = 0; k < 13; ++k) nested.add_norm(literature_name(16, k, "conv", "_") + ".1", 4);
    CHECK(nested.add_layer("fc", {3, 4}).found().title == "VGG-16 with batch norm");
}

TEST_CASE("dense layers are found by their widths, whatever their names") {
    const auto dense = [](const std::vector<std::pair<std::string, Shape>>& layers) {
        Checkpoint checkpoint;
        checkpoint.add_features(11, "features");
        for (const auto& [name, shape] : layers) checkpoint.add_layer(name, shape);
        const VggTensors vgg = checkpoint.found();
        return std::pair(vgg.dense_paths, vgg.network.pooled_side());
    };
    using Found = std::pair<Names, std::size_t>;
    CHECK(dense({{"classifier.0", {9, 196}}, {"classifier.3", {8, 9}}, {"classifier.6", {7, 8}}}) ==
          Found({"classifier.0", "classifier.3", "classifier.6"}, 7));
    CHECK(dense({{"classifier.1", {9, 4}}, {"classifier.4", {9, 9}}, {"classifier.6", {7, 9}}}) ==
          Found({"classifier.1", "classifier.4", "classifier.6"}, 1));
    CHECK(dense({{"head.fc", {7, 8}}, {"pre_logits.fc1", {9, 4, 7, 7}}, {"pre_logits.fc2", {8, 9, 1, 1}}}) ==
          Found({"pre_logits.fc1", "pre_logits.fc2", "head.fc"}, 7));
    CHECK(dense({{"fc10", {9, 9}}, {"fc9", {9, 9}}, {"fc8", {9, 16}}, {"fc11", {3, 9}}}) ==
          Found({"fc8", "fc9", "fc10", "fc11"}, 2));
    CHECK(dense({{"output", {3, 5}}, {"hidden", {5, 36}}}) == Found({"hidden", "output"}, 3));
    CHECK(dense({{"classifier.fc6", {5, 36}}, {"classifier.fc7", {6, 5}}, {"classifier.fc8", {3, 6}}}) ==
          Found({"classifier.fc6", "classifier.fc7", "classifier.fc8"}, 3));
    CHECK(dense({{"squeeze", {5, 4}}, {"mid", {5, 5}}, {"end", {3, 5}}}) ==
          Found({"squeeze", "mid", "end"}, 1));
    // For equal shapes, the file's order applies unless the names say otherwise.
    CHECK(dense({{"a", {5, 4}}, {"b", {5, 5}}, {"c", {5, 5}}, {"d", {3, 5}}}) ==
          Found({"a", "b", "c", "d"}, 1));
}

TEST_CASE("an ambiguous order of dense layers is refused with both orders") {
    Checkpoint checkpoint;
    checkpoint.add_features(11, "features");
    checkpoint.add_layer("a", {5, 4}).add_layer("z", {5, 5}).add_layer("y", {5, 5}).add_layer("zz", {3, 5});
    CHECK(checkpoint.problem() == Containing("found two that fit: a, y, z, zz (by name), and a, z, y, zz"));
}

TEST_CASE("a dense layer that is missing between two is a problem") {
    Checkpoint sequential;
    sequential.add_features(11, "features");
    sequential.add_layer("classifier.0", {9, 196}).add_layer("classifier.6", {7, 9});
    CHECK(sequential.problem() ==
          Containing("classifier.6: expected the dense layer after classifier.0 at most "
                     "4 numbers on, found it 6 on: one is missing between them"));
    Checkpoint numbered;
    numbered.add_features(11, "features").add_layer("fc6", {9, 196}).add_layer("fc8", {7, 9});
    CHECK(numbered.problem() == Containing("fc8: expected the dense layer after fc6"));
}

TEST_CASE(
    "convolutions without dense layers are a model of features alone, unless parts of a classifier are "
    "there") {
    for (const char* prefix : {"features", "net.features", "vgg.module.features"}) {
        Checkpoint headless;
        const VggTensors found = headless.add_features(11, prefix).found();
        CHECK(!found.network.has_classifier());
        CHECK(found.network.convolutions().size() == 8);
        CHECK(found.notes ==
              std::vector<std::string>{"no dense layers: a model of features alone, which has no classes"});
    }
    Checkpoint broken;
    broken.add_features(11, "features").add("classifier.0.bias", {9});
    CHECK(broken.problem() == Containing("classifier.0.bias: not in a VGG-11"));
}

TEST_CASE("of several VGGs one is used, and the others are reported") {
    const auto chosen = [](const std::vector<std::pair<int, std::string>>& networks, const std::string& key) {
        Checkpoint checkpoint;
        for (const auto& [depth, prefix] : networks) checkpoint.add_vgg(depth, prefix, 7);
        return checkpoint.found(key);
    };
    // The largest; else root, state_dict, model; else the first.
    CHECK(chosen({{11, "student."}, {16, "teacher."}}, "").prefix == "teacher");
    CHECK(chosen({{11, "ema."}, {11, "model."}, {11, "state_dict.module."}}, "").prefix ==
          "state_dict.module");
    CHECK(chosen({{11, "ema."}, {11, "model."}}, "").prefix == "model");
    CHECK(chosen({{11, "ema."}, {11, ""}, {11, "model."}}, "").prefix.empty());
    CHECK(chosen({{11, "second."}, {11, "first."}}, "").prefix == "second");
    CHECK(chosen({{11, "student."}, {16, "teacher."}}, "student").prefix == "student");
    CHECK(chosen({{11, "ema.module."}, {16, "net."}}, "ema").prefix == "ema.module");
    CHECK(chosen({{11, ""}, {16, "net."}}, ".").prefix.empty());

    const VggTensors vgg = chosen({{11, "student."}, {16, "teacher."}}, "");
    CHECK(vgg.left == std::vector<std::pair<std::string, std::size_t>>{{"student", 18}});
    REQUIRE(vgg.notes.size() == 1);
    CHECK(vgg.notes[0] ==
          Containing("more than one VGG in the file: took teacher; --key PATH selects another: "
                     "student (VGG-11, "));
    CHECK(error_of(ErrorKind::bad_input,
                   [&] {
                       chosen({{11, "a."}, {16, "b."}}, "c");
                   }) ==
          Containing(
              "--key c: expected the path of a VGG in the file, found none there; there are: b (VGG-16"));
}

TEST_CASE("tensors outside the VGG are left out and counted; doubtful ones are an error") {
    Checkpoint checkpoint;
    checkpoint.add_vgg(11, "state_dict.model.", 7);
    checkpoint.add("optimizer.state.0.exp_avg", {4, 3, 3, 3})
        .add("optimizer.state.0.exp_avg_sq", {4, 3, 3, 3});
    checkpoint.add("state_dict.criterion.weight", {7}).add("state_dict.model.normalize.mean", {3});
    checkpoint.add_layer("discriminator.0", {5, 3, 3, 3});
    using Left = std::vector<std::pair<std::string, std::size_t>>;
    CHECK(checkpoint.found().left == Left{{"optimizer", 2},
                                          {"state_dict.criterion", 1},
                                          {"state_dict.model.normalize", 1},
                                          {"discriminator", 2}});
    checkpoint.add_layer("state_dict.model.auxiliary", {5, 9});
    CHECK(checkpoint.problem() == Containing("found 2 problems:"));
    CHECK(checkpoint.problem() ==
          Containing("state_dict.model.auxiliary.weight: not in a VGG-11; found (5, 9)"));
    checkpoint.remove("state_dict.model.auxiliary.weight").remove("state_dict.model.auxiliary.bias");
    checkpoint.add("state_dict.model.features.21.scale", {1});
    CHECK(checkpoint.problem() == Containing("features.21.scale: not in a VGG-11; found (1)"));
}

TEST_CASE("if all layers lack biases, they are zero; a single missing bias is an error") {
    Checkpoint plain;
    plain.add_features(11, "features", false).add_layer("fc", {7, 4}, false);
    VggTensors vgg = plain.found();
    CHECK(vgg.layers.front().bias == nullptr);
    CHECK(vgg.layers.back().bias == nullptr);
    CHECK(vgg.notes == Names{"convolutions without bias: 0 is used", "fc without bias: 0 is used"});
    plain.add("features.3.bias", {4});
    CHECK(plain.problem() == Containing("found 7 problems:"));
    CHECK(plain.problem() == Containing("\n  features.0.bias: missing; expected (4)"));

    Checkpoint dense;
    dense.add_features(11, "features").add_layer("fc1", {7, 4}, false).add_layer("fc2", {6, 7});
    CHECK(dense.problem() == Containing("fc1.bias: missing; expected (7)"));
    dense.add("fc1.bias", {7}).remove("fc2.bias");
    CHECK(dense.found().notes == Names{"fc2 without bias: 0 is used"});
}

TEST_CASE("all batch norms may lack weight and bias, but not statistics") {
    Checkpoint checkpoint;
    const auto layers = convolutions_of(11);
    for (std::size_t k = 0; k < layers.size(); ++k) {
        const std::size_t index = layers[k].features_index + k;
        checkpoint.add_layer("features." + std::to_string(index), {4, k == 0 ? 3U : 4U, 3, 3}, false);
        checkpoint.add("features." + std::to_string(index + 1) + ".running_mean", {4});
        checkpoint.add("features." + std::to_string(index + 1) + ".running_var", {4});
    }
    checkpoint.add_layer("classifier", {7, 4});
    const VggTensors vgg = checkpoint.found();
    CHECK(vgg.batch_norm);
    CHECK(vgg.layers[0].batch_norm->weight == nullptr);
    CHECK(vgg.layers[0].batch_norm->mean != nullptr);
    CHECK(vgg.norm_paths.front() == "features.1");
    checkpoint.add("features.1.weight", {4});
    CHECK(checkpoint.problem() == Containing("features.1.bias: missing"));
    checkpoint.remove("features.1.weight").remove("features.1.running_var");
    CHECK(checkpoint.problem() == Containing("features.1.running_var: missing; expected (4)"));
}

TEST_CASE("parameters in parts are combined, or refused by name") {
    const auto with_parts = [](const std::vector<std::pair<std::string, Shape>>& parts) {
        Checkpoint checkpoint;
        checkpoint.add_vgg(11, "", 7).remove("features.3.weight");
        for (const auto& [name, shape] : parts) checkpoint.add("features.3." + name, shape);
        return checkpoint;
    };
    const Shape weight = {4, 4, 3, 3};
    CHECK(with_parts({{"weight_orig", weight}, {"weight_mask", weight}}).found().applied ==
          Names{"masks applied to 1 tensors"});
    for (const Shape& magnitudes : {Shape{4, 1, 1, 1}, Shape{1, 4, 1, 1}, Shape{}, Shape{1, 1, 1, 1}}) {
        CHECK(with_parts({{"weight_g", magnitudes}, {"weight_v", weight}}).found().applied ==
              Names{"weight normalisation applied to 1 tensors"});
        CHECK(with_parts({{"parametrizations.weight.original0", magnitudes},
                          {"parametrizations.weight.original1", weight}})
                  .found()
                  .applied.size() == 1);
    }
    CHECK(with_parts({{"weight_g", {4, 4, 1, 1}}, {"weight_v", weight}}).problem() ==
          Containing("features.3.weight_g: expected a shape that fits (4, 4, 3, 3), found (4, 4, 1, 1)"));
    CHECK(with_parts({{"weight_orig", weight}, {"weight_mask", {4}}}).problem() ==
          Containing("features.3.weight_mask: expected a shape that fits"));
    CHECK(with_parts({{"weight_orig", weight}}).problem() ==
          Containing("features.3.weight_orig: expected a "
                     "parameter in one piece, found weight_orig"));
    CHECK(with_parts({{"weight_orig", weight}, {"weight_u", {4}}, {"weight_v", {36}}}).problem() ==
          Containing("found weight_orig, weight_u, weight_v: spectral normalisation"));
    CHECK(with_parts({{"parametrizations.weight.original", weight},
                      {"parametrizations.weight.0._u", {4}},
                      {"parametrizations.weight.0._v", {36}}})
              .problem() == Containing("spectral normalisation"));
    CHECK(with_parts({{"parametrizations.weight.original", weight}, {"parametrizations.weight.0.base", {4}}})
              .problem() == Containing("expected a parameter in one piece"));
    CHECK(with_parts({{"weight", weight}, {"weight", weight}}).problem() ==
          Containing("features.3.weight: expected once, found again"));
}

TEST_CASE("other networks are not recognised as a VGG") {
    Checkpoint alexnet;
    alexnet.add_layer("features.0", {64, 3, 11, 11}).add_layer("features.3", {192, 64, 5, 5});
    alexnet.add_layer("features.6", {384, 192, 3, 3}).add_layer("features.8", {256, 384, 3, 3});
    alexnet.add_layer("features.10", {256, 256, 3, 3}).add_layer("classifier.1", {4096, 9216});
    CHECK(alexnet.problem() == Containing("expected the tensors of a VGG"));
    // Next to a VGG it is left out.
    alexnet = Checkpoint();
    alexnet.add_layer("teacher.features.0", {64, 3, 11, 11}).add_layer("teacher.classifier.1", {4096, 9216});
    alexnet.add_vgg(11, "student.", 3);
    CHECK(alexnet.found().prefix == "student");
    Checkpoint resnet;
    resnet.add_layer("conv1", {64, 3, 7, 7})
        .add_layer("layer1.0.conv1", {64, 64, 3, 3})
        .add_layer("fc", {9, 64});
    CHECK(resnet.problem() ==
          Containing("expected a VGG's tensors, such as features.0.weight; found 6 others"));
    CHECK(Checkpoint().problem() == Containing("found 0 others"));
}

TEST_CASE("impossible numbers of channels are refused") {
    Checkpoint checkpoint;
    checkpoint.add_vgg(11, "", 7).tensor("classifier.weight").shape = {70000, 4};
    CHECK(checkpoint.problem() ==
          Containing("file: network description: classifier entry 1: expected a width"));
}

}  // namespace
