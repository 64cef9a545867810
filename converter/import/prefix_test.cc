// The first convolutions of a VGG alone, and a VGG without its classifier.
#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "converter/import/names.h"
#include "converter/import/testing/checkpoint.h"
#include "engine/testing/error_of.h"

namespace {

using vgg19::converter::modules_of;
using vgg19::converter::recognise_vgg;
using vgg19::converter::VggTensors;
using vgg19::converter::testing::Checkpoint;
using vgg19::converter::testing::convolutions_of;
using vgg19::converter::testing::literature_name;
using vgg19::converter::testing::Shape;
using vgg19::testing::Containing;

TEST_CASE("the first convolutions of a network are a network of features alone") {
    const auto sequential = [](int depth, const std::string& container) {
        return [=](std::size_t k) {
            return container + std::to_string(convolutions_of(depth)[k].features_index);
        };
    };
    const auto slices = [](std::size_t k) {  // as perceptual losses cut VGG-19: before each block's second
        const std::size_t index = convolutions_of(19)[k].features_index;
        const char* slice = index < 2 ? "1" : index < 7 ? "2" : index < 12 ? "3" : index < 21 ? "4" : "5";
        return "net.slice" + std::string(slice) + '.' + std::to_string(index);
    };
    struct Case {
        const char* name;
        int depth;
        std::size_t count;
        std::function<std::string(std::size_t)> naming;
        const char* features;
    };
    const Case cases[] = {
        {"one", 19, 1, sequential(19, "features."), "4"},
        {"one alone, without a container", 19, 1, sequential(19, ""), "4"},
        {"VGG-11's first", 11, 2, sequential(11, "features."), "4 M 4 M"},
        {"a whole block", 19, 2, sequential(19, ""), "4 4 M"},
        {"relu3_1", 19, 5, sequential(19, "features."), "4 4 M 4 4 M 4"},
        {"relu3_3 of VGG-16, where VGG-19 goes on", 16, 7, sequential(16, "vgg.features."),
         "4 4 M 4 4 M 4 4 4"},
        {"relu4_3 of VGG-16", 16, 10, sequential(16, ""), "4 4 M 4 4 M 4 4 4 M 4 4 4 M"},
        {"relu5_1", 19, 13, sequential(19, "module.features."), "4 4 M 4 4 M 4 4 4 4 M 4 4 4 4 M 4"},
        {"all but one", 19, 15, sequential(19, ""), "4 4 M 4 4 M 4 4 4 4 M 4 4 4 4 M 4 4 4"},
        {"the literature's names", 19, 9, [](std::size_t k) { return literature_name(19, k, "conv", "_"); },
         "4 4 M 4 4 M 4 4 4 4 M 4"},
        {"slices", 19, 13, slices, "4 4 M 4 4 M 4 4 4 4 M 4 4 4 4 M 4"},
        {"slices of a whole network", 19, 16, slices, "4 4 M 4 4 M 4 4 4 4 M 4 4 4 4 M 4 4 4 4 M"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        Checkpoint checkpoint;
        checkpoint.add_convolutions(each.depth, each.naming);
        for (std::size_t k = each.count; k < convolutions_of(each.depth).size(); ++k) {
            checkpoint.remove(each.naming(k) + ".weight").remove(each.naming(k) + ".bias");
        }
        const VggTensors vgg = checkpoint.found();
        CHECK(vgg.network.features_text() == each.features);
        CHECK(vgg.network.classes() == 0);
        CHECK(vgg.layers.size() == each.count);
        CHECK(vgg.convolution_paths.back() == each.naming(each.count - 1));
        CHECK(vgg.left.empty());
        REQUIRE(vgg.notes.size() >= 1);
        CHECK(vgg.notes.front() == Containing("no classes"));
    }
    // As a learned perceptual distance has them, with its own weights beside the network.
    Checkpoint distance;
    for (std::size_t k = 0; k < 13; ++k) {
        distance.add_layer(slices(k), {4, k == 0 ? 3U : 4U, 3, 3});
    }
    distance.add("lin0.model.1.weight", {1, 4, 1, 1});
    const VggTensors vgg = distance.found();
    CHECK(vgg.layers.size() == 13);
    REQUIRE(vgg.left.size() == 1);
    CHECK(vgg.left[0].first == "lin0");
}

TEST_CASE("the first convolutions may have batch norms, and names in order with torchvision's widths") {
    Checkpoint normed;
    std::size_t index = 0;
    for (const std::size_t width : {8U, 8U, 0U, 16U}) {
        if (width == 0) {
            ++index;
            continue;
        }
        const std::size_t inputs = index == 0 ? 3 : 8;
        normed.add_layer(std::to_string(index), {width, inputs, 3, 3})
            .add_norm(std::to_string(index + 1), width);
        index += 3;
    }
    CHECK(normed.found().network.features_text() == "8 8 M 16");
    CHECK(normed.found().layers.back().batch_norm.has_value());

    const auto in_order = [](const std::vector<std::size_t>& widths) {
        Checkpoint checkpoint;
        std::size_t inputs = 3;
        for (std::size_t k = 0; k < widths.size(); ++k) {
            checkpoint.add_layer("conv_" + std::to_string(k + 1), {widths[k], inputs, 3, 3});
            inputs = widths[k];
        }
        return checkpoint;
    };
    CHECK(in_order({64, 64, 128, 128, 256}).found().network.features_text() == "64 64 M 128 128 M 256");
    // Thirteen convolutions are a whole VGG-16, unless their widths are those of VGG-19's first thirteen.
    const std::vector<std::size_t> first_of_19 = {64,  64,  128, 128, 256, 256, 256,
                                                  256, 512, 512, 512, 512, 512};
    CHECK(in_order(first_of_19).found().network.features_text() ==
          "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512");
    CHECK(in_order({64, 64, 100, 128}).problem() == Containing("expected a VGG's tensors"));
}

TEST_CASE("a hole in the first convolutions is an error that names it") {
    for (const char* container : {"features.", ""}) {
        CAPTURE(container);
        const auto name = [&](std::size_t k) {
            return container + std::to_string(convolutions_of(19)[k].features_index);
        };
        for (const std::size_t hole : {std::size_t{0}, std::size_t{3}, std::size_t{8}, std::size_t{11}}) {
            CAPTURE(hole);
            Checkpoint checkpoint;
            checkpoint.add_convolutions(19, name);
            for (const std::size_t k : {hole, std::size_t{13}, std::size_t{14}, std::size_t{15}}) {
                checkpoint.remove(name(k) + ".weight").remove(name(k) + ".bias");
            }
            const std::string problem = checkpoint.problem();
            CHECK(problem ==
                  Containing("file: expected the tensors of a VGG-19's first 13 convolutions, found"));
            CHECK(problem == Containing("\n  " + name(hole) + ".weight: missing"));
            CHECK(problem.find(name(13) + ".weight") == std::string::npos);
        }
    }
    for (const char* container : {"features.", "net.", ""}) {
        CAPTURE(container);
        const auto name = [&](std::size_t k) {
            return container + std::to_string(convolutions_of(19)[k].features_index);
        };
        for (const std::size_t hole : {std::size_t{0}, std::size_t{5}, std::size_t{14}}) {
            CAPTURE(hole);
            Checkpoint whole_but_one;
            whole_but_one.add_convolutions(19, name);
            whole_but_one.remove(name(hole) + ".weight").remove(name(hole) + ".bias");
            CHECK(whole_but_one.problem() == Containing("\n  " + name(hole) + ".weight: missing"));
        }
    }
    Checkpoint biasless;
    biasless.add_features(16, "features").remove("features.5.bias");
    for (const char* index : {"24", "26", "28"}) {
        biasless.remove("features." + std::string(index) + ".weight");
        biasless.remove("features." + std::string(index) + ".bias");
    }
    CHECK(biasless.problem() == Containing("features.5.bias: missing"));
    // Numbers of a network with padding layers, in which a convolution is missing.
    Checkpoint in_order;
    in_order.add_convolutions(19, [](std::size_t k) { return "conv_" + std::to_string(k + 1); });
    in_order.remove("conv_13.weight").remove("conv_13.bias");
    CHECK(in_order.problem() == Containing("expected a VGG's tensors"));
}

TEST_CASE("what only begins like a VGG is none") {
    const auto begin = [](const std::string& container) {
        Checkpoint checkpoint;
        checkpoint.add_layer(container + "0", {64, 3, 3, 3}).add_layer(container + "2", {64, 64, 3, 3});
        return checkpoint;
    };
    CHECK(begin("").add_layer("4", {10, 64}).problem() == Containing("expected a VGG's tensors"));
    CHECK(begin("inc.").add_layer("down.0", {64, 64, 3, 3}).problem() ==
          Containing("expected a VGG's tensors"));
    CHECK(begin("").add_layer("3", {64, 64, 5, 5}).problem() == Containing("expected a VGG's tensors"));
    CHECK(begin("features.").add_layer("features.4.squeeze", {16, 64, 1, 1}).problem() ==
          Containing("features.5.weight: missing"));
    // A whole network whose end was cut off keeps its classifier: then tensors are missing.
    Checkpoint cut;
    cut.add_vgg(19, "", 7).remove("features.34.weight").remove("features.34.bias");
    CHECK(cut.problem() == Containing("features.34.weight: missing"));
    // The user says where the convolutions are, so that others may be beside them.
    CHECK(
        begin("frontend.").add_layer("backend.0", {64, 64, 3, 3}).found("frontend").network.features_text() ==
        "64 64 M");
    // Dense layers of another part of the file are not a classifier of the first convolutions.
    const VggTensors loss = begin("loss.vgg.features.").add_layer("head.fc", {10, 20}).found();
    CHECK(loss.network.features_text() == "64 64 M");
    REQUIRE(loss.left.size() == 1);
    CHECK(loss.left[0].first == "head");
}

TEST_CASE("a classifier can be left out, whatever it is") {
    Checkpoint checkpoint;
    checkpoint.add_vgg(16, "net.", 7).add_layer("net.other", {3, 11});
    CHECK(checkpoint.problem() == Containing("net.other"));
    const VggTensors vgg = recognise_vgg(modules_of(checkpoint.tensors()), "file", "", true);
    CHECK(vgg.network.classes() == 0);
    CHECK(vgg.network.pool_count() == 5);
    CHECK(vgg.layers.size() == 13);
    CHECK(vgg.left.size() == 2);
}

}  // namespace
