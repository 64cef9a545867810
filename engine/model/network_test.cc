#include "engine/model/network.h"

#include <doctest/doctest.h>

#include "engine/testing/error_of.h"

namespace vgg19::model {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

constexpr const char* vgg19_features =
    "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M";

}  // namespace

TEST_CASE("torchvision's VGGs have their published parameter counts") {
    CHECK(Network::vgg(11).parameters() == 132'863'336);
    CHECK(Network::vgg(13).parameters() == 133'047'848);
    CHECK(Network::vgg(16).parameters() == 138'357'544);
    CHECK(Network::vgg(19).parameters() == 143'667'240);
    CHECK(error_of(ErrorKind::usage, [] { Network::vgg(18); }) ==
          "VGG depth: expected 11, 13, 16 or 19, found 18");
}

TEST_CASE("VGG-19 has its 16 convolutions and 3 dense layers under torchvision's names") {
    const Network network = Network::vgg(19);
    const std::size_t indices[] = {0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34};
    REQUIRE(network.convolutions().size() == std::size(indices));
    for (std::size_t i = 0; i < std::size(indices); ++i) {
        const ConvolutionLayer& layer = network.convolutions()[i];
        CHECK(layer.features_index == indices[i]);
        CHECK(layer.name == "features." + std::to_string(indices[i]));
        CHECK(layer.pool_follows == (i == 1 || i == 3 || i == 7 || i == 11 || i == 15));
    }
    REQUIRE(network.dense_layers().size() == 3);
    CHECK(network.dense_layers()[0].name == "classifier.0");
    CHECK(network.dense_layers()[0].inputs == 25088);
    CHECK(network.dense_layers()[1].name == "classifier.3");
    CHECK(network.dense_layers()[2].name == "classifier.6");
    CHECK(network.dense_layers()[1].relu_follows);
    CHECK_FALSE(network.dense_layers()[2].relu_follows);
    CHECK(network.classes() == 1000);
    CHECK(network.features_text() == vgg19_features);
    CHECK(network.classifier_text() == "4096 4096 1000");
}

TEST_CASE("the tensors are named and shaped as torchvision's, and hold all parameters") {
    const std::vector<TensorShape> tensors = Network::vgg(19).tensors();
    REQUIRE(tensors.size() == 38);
    CHECK(tensors[0].name == "features.0.weight");
    CHECK(tensors[0].shape == std::vector<std::size_t>{64, 3, 3, 3});
    CHECK(tensors[1].name == "features.0.bias");
    CHECK(tensors[1].shape == std::vector<std::size_t>{64});
    CHECK(tensors[36].name == "classifier.6.weight");
    CHECK(tensors[36].shape == std::vector<std::size_t>{1000, 4096});
    CHECK(weight_scale_name("classifier.0") == "classifier.0.weight_scale");
    std::uint64_t elements = 0;
    for (const TensorShape& tensor : tensors) {
        std::uint64_t product = 1;
        for (const std::size_t size : tensor.shape) product *= size;
        elements += product;
    }
    CHECK(elements == 143'667'240);
}

TEST_CASE("multiply-accumulates follow from the map sizes") {
    const Network network = Network::vgg(19);
    CHECK(network.macs(224) == 19'632'062'464);
    CHECK(network.macs(network.convolutions()[0], 224) == 224ULL * 224 * 27 * 64);
    CHECK(Network::macs(network.dense_layers()[0]) == 25088ULL * 4096);
    // The maps are 160² 80² 40² 20² 10²; the dense layers do not change.
    const std::uint64_t convolutions = 25600ULL * 9 * (3 * 64 + 64 * 64) +
                                       6400ULL * 9 * (64 * 128 + 128 * 128) +
                                       1600ULL * 9 * (128 * 256 + 3 * 256 * 256) +
                                       400ULL * 9 * (256 * 512 + 3 * 512 * 512) + 100ULL * 9 * 4 * 512 * 512;
    CHECK(network.macs(160) == convolutions + 25088ULL * 4096 + 4096ULL * 4096 + 4096ULL * 1000);
}

TEST_CASE("a pool halves a map and rounds down") {
    const Network network = Network::vgg(19);
    CHECK(network.map_size(network.convolutions()[1], 225) == 225);
    CHECK(network.map_size(network.convolutions()[2], 225) == 112);
    CHECK(network.map_size(network.convolutions()[15], 225) == 14);
    CHECK(network.map_size(network.convolutions()[15], 33) == 2);
}

TEST_CASE("the pruned VGG-19 has the computed sizes for 26 of 256 and 8 times 51 of 512 filters") {
    const Network network = Network::vgg(19);
    std::vector<std::size_t> widths;
    for (const ConvolutionLayer& layer : network.convolutions()) {
        const bool pruned = layer.features_index >= 16;
        const std::size_t removed = layer.output_channels == 256 ? 26 : 51;
        widths.push_back(pruned ? layer.output_channels - removed : layer.output_channels);
    }
    const Network pruned = network.with_widths(widths);
    CHECK(pruned.features_text() ==
          "64 64 M 128 128 M 256 256 256 230 M 461 461 461 461 M 461 461 461 461 M");
    const std::uint64_t convolutions = 64 * 28 + 64 * 577 + 128 * 577 + 128 * 1153 + 256 * 1153 +
                                       2 * 256 * 2305 + 230 * 2305 + 461 * 2071 + 7 * 461 * 4150;
    CHECK(pruned.parameters() == convolutions + 4096ULL * (461 * 49 + 1) + 4096ULL * 4097 + 1000ULL * 4097);
    CHECK(pruned.dense_layers()[0].inputs == 461 * 49);
    CHECK(pruned.convolutions()[8].input_channels == 230);
    CHECK_FALSE(pruned == network);
    CHECK(network.with_widths(
              {64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512}) == network);
}

TEST_CASE("widths that do not fit the network are wrong usage") {
    const Network network = Network::vgg(11);
    CHECK(error_of(ErrorKind::usage, [&] {
              network.with_widths({1, 2});
          }) == "convolution widths: expected 8, found 2");
    CHECK(error_of(ErrorKind::usage, [&] {
              network.with_widths({1, 1, 1, 0, 1, 1, 1, 1});
          }) == "features.8: expected a width from 1 to 65536, found 0");
}

TEST_CASE("the two texts are the inverse of parsing") {
    const Network network = Network::parse("1 M 2 3 M 4 M 5 M 65536 M", "7 8 9");
    CHECK(network.features_text() == "1 M 2 3 M 4 M 5 M 65536 M");
    CHECK(network.classifier_text() == "7 8 9");
    CHECK(network == Network({1, 0, 2, 3, 0, 4, 0, 5, 0, 65536, 0}, {7, 8, 9}));
}

TEST_CASE("a factored dense layer becomes two layers") {
    const std::string features = Network::vgg(19).features_text();
    const Network network = Network::parse(features, "512:4096 4096 100:1000");
    CHECK(network.classifier_text() == "512:4096 4096 100:1000");
    CHECK(network.ranks() == std::vector<std::size_t>{512, 0, 100});
    CHECK(network.classes() == 1000);
    struct Expected {
        const char* name;
        std::size_t inputs;
        std::size_t outputs;
        bool relu_follows;
        bool signed_input;
    };
    const Expected expected[] = {{"classifier.0.0", 25088, 512, false, false},
                                 {"classifier.0.1", 512, 4096, true, true},
                                 {"classifier.3", 4096, 4096, true, false},
                                 {"classifier.6.0", 4096, 100, false, false},
                                 {"classifier.6.1", 100, 1000, false, true}};
    REQUIRE(network.dense_layers().size() == std::size(expected));
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        const DenseLayer& layer = network.dense_layers()[i];
        CAPTURE(expected[i].name);
        CHECK(layer.name == expected[i].name);
        CHECK(layer.inputs == expected[i].inputs);
        CHECK(layer.outputs == expected[i].outputs);
        CHECK(layer.relu_follows == expected[i].relu_follows);
        CHECK(layer.signed_input == expected[i].signed_input);
    }
    CHECK(network.tensors()[32].name == "classifier.0.0.weight");
    CHECK(network.tensors()[32].shape == std::vector<std::size_t>{512, 25088});
    CHECK(network.tensors()[33].name == "classifier.0.0.bias");
}

TEST_CASE("factors stay when widths change, and rank 0 removes them") {
    const Network whole = Network::vgg(11);
    const Network factored = whole.with_ranks({0, 64, 0});
    CHECK(factored.classifier_text() == "4096 64:4096 1000");
    CHECK_FALSE(factored == whole);
    CHECK(factored.with_ranks({0, 0, 0}) == whole);
    const Network narrow = factored.with_widths({8, 8, 8, 8, 8, 8, 8, 10});
    CHECK(narrow.classifier_text() == "4096 64:4096 1000");
    CHECK(narrow.dense_layers()[0].inputs == 490);
    CHECK(whole.parameters() - factored.parameters() == 4096ULL * 4096 - 64 * (4096 + 4096) - 64);
    CHECK(error_of(ErrorKind::usage, [&] {
              whole.with_ranks({1, 2});
          }) == "ranks of dense layers: expected 3, found 2");
}

TEST_CASE("errors in a list of widths name the entry") {
    struct Case {
        const char* name;
        std::string features;
        std::string classifier;
        const char* message;
    };
    const std::string good = "1 M 1 M 1 M 1 M 1 M";
    std::string endless;
    for (int i = 0; i < 5000; ++i) endless += "1 ";
    const Case cases[] = {
        {"nothing", "", "1 1 1", "features entry 1: expected a positive whole number, found \"\""},
        {"pool first", "M 1 M 1 M 1 M 1 M", "1 1 1",
         "features entry 1: expected a convolution before each pool"},
        {"two pools in a row", "1 M M 1 M 1 M 1 M", "1 1 1", "features entry 3: expected a convolution"},
        {"four pools", "1 M 1 M 1 M 1 M", "1 1 1", "expected 5 pools before a classifier, found 4"},
        {"six pools", good + " 1 M", "1 1 1", "expected 5 pools before a classifier, found 6"},
        {"no pool at the end", good + " 1", "1 1 1",
         "expected a pool at the end before a classifier, found a convolution"},
        {"a word", "1 x M", "1 1 1", "features entry 2: expected a positive whole number, found \"x\""},
        {"zero", "0 M", "1 1 1", "features entry 1: expected a positive whole number, found \"0\""},
        {"negative", "-1 M", "1 1 1", "found \"-1\""},
        {"fraction", "1.5 M", "1 1 1", "found \"1.5\""},
        {"beyond 64 bits", "99999999999999999999 M", "1 1 1", "found \"99999999999999999999\""},
        {"too wide", "65537 M 1 M 1 M 1 M 1 M", "1 1 1", "expected a width of at most 65536, found 65537"},
        {"two spaces", "1  M", "1 1 1", "features entry 2: expected a positive whole number, found \"\""},
        {"space at the end", good + " ", "1 1 1", "features entry 11"},
        {"endless", endless, "1 1 1", "expected at most 1024 features"},
        {"many dense widths", good, endless.substr(0, 2 * 65 - 1),
         "classifier: expected at most 64 widths, found 65"},
        {"pool in the classifier", good, "1 M 1", "classifier entry 2: expected a positive whole number"},
        {"dense too wide", good, "1 1 70000",
         "classifier entry 3: expected a width from 1 to 65536, found 70000"},
        {"rank of zero", good, "1 0:1 1",
         "classifier entry 2: expected a positive whole number, found \"0\""},
        {"rank too large", good, "70000:1 1 1",
         "network description: classifier entry 1: expected a rank of at most 65536, found 70000"},
        {"rank alone", good, "1 1 1:", "classifier entry 3: expected a positive whole number, found \"\""},
        {"two ranks", good, "1:1:1 1 1",
         "classifier entry 1: expected a positive whole number, found \"1:1\""},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        CHECK(error_of(ErrorKind::bad_input, [&] { Network::parse(each.features, each.classifier); }) ==
              Containing(each.message));
    }
    CHECK(error_of(ErrorKind::bad_input, [] {
              Network({}, {1, 1, 1});
          }) == Containing("expected at least one convolution, found none"));
    CHECK(error_of(ErrorKind::usage, [&] { static_cast<void>(Network::parse(good, "").with_classes(2)); }) ==
          Containing("expected a network with a classifier"));
    for (const std::size_t side : {std::size_t{0}, std::size_t{257}}) {
        CHECK(error_of(ErrorKind::bad_input, [&] { Network::parse(good, "1", side); }) ==
              Containing("pooled side: expected a number from 1 to 256, found " + std::to_string(side)));
    }
}

TEST_CASE("features alone may be any prefix of a network, and end with a convolution or a pool") {
    struct Case {
        const char* features;
        std::size_t pools;
        bool ends_with_pool;
        std::size_t smallest_side;
        const char* last;
        MapSize last_map;  // of an input of 33 × 47
    };
    for (const Case& each :
         {Case{"64", 0, false, 16, "features.0", {33, 47}}, Case{"64 M", 1, true, 16, "features.0", {33, 47}},
          Case{"64 64 M 128", 1, false, 16, "features.5", {16, 23}},
          Case{"8 8 M 8 8 M 8 8 M 8 8 M", 4, true, 16, "features.17", {4, 5}},
          Case{"8 M 8 M 8 M 8 M 8", 4, false, 16, "features.12", {2, 2}},
          Case{"8 M 8 M 8 M 8 M 8 M", 5, true, 32, "features.12", {2, 2}},
          Case{"8 M 8 M 8 M 8 M 8 M 8", 5, false, 32, "features.15", {1, 1}}}) {
        CAPTURE(each.features);
        const Network network = Network::parse(each.features, "");
        CHECK(network.features_text() == each.features);
        CHECK(network.pool_count() == each.pools);
        CHECK(network.ends_with_pool() == each.ends_with_pool);
        CHECK(network.smallest_input_side() == each.smallest_side);
        CHECK(network.convolutions().back().name == each.last);
        CHECK(network.map_size(network.convolutions().back(), {33, 47}) == each.last_map);
        CHECK(network.classes() == 0);
        CHECK(network == Network(network.features(), {}));
        CHECK(network.with_widths(std::vector<std::size_t>(network.convolutions().size(), 9)).pool_count() ==
              each.pools);
        if (each.pools == 5 && each.ends_with_pool) {
            CHECK(Network(network.features(), {10}).classes() == 10);
        } else {
            CHECK(error_of(ErrorKind::bad_input, [&] { Network(network.features(), {10}); }) ==
                  Containing("before a classifier"));
        }
    }
    CHECK(error_of(ErrorKind::bad_input, [] { Network({}, {}); }) ==
          Containing("expected at least one convolution, found none"));
    CHECK(error_of(ErrorKind::bad_input, [] { Network::parse("1 M 1 M 1 M 1 M 1 M 1 M", ""); }) ==
          Containing("expected at most 5 pools, found 6"));
    CHECK(error_of(ErrorKind::bad_input, [] { Network::parse("1 M M", ""); }) ==
          Containing("features entry 3: expected a convolution before each pool"));
}

TEST_CASE("a network has any number of dense layers, and sees a map of any side") {
    const Network cifar = Network::parse(vgg19_features, "10", 1);
    CHECK(cifar.pooled_side() == 1);
    CHECK(cifar.natural_input_size() == 32);
    REQUIRE(cifar.dense_layers().size() == 1);
    CHECK(cifar.dense_layers()[0].name == "classifier.0");
    CHECK(cifar.dense_layers()[0].inputs == 512);
    CHECK_FALSE(cifar.dense_layers()[0].relu_follows);
    CHECK(cifar.parameters() == 20'029'514);
    CHECK(cifar == Network(cifar.features(), {10}, 1));
    CHECK_FALSE(cifar == Network(cifar.features(), {10}, 2));
    CHECK(cifar.with_widths(std::vector<std::size_t>(16, 8)).dense_layers()[0].inputs == 8);
    CHECK(cifar.with_ranks({4}).classifier_text() == "4:10");
    CHECK(cifar.with_ranks({4}).pooled_side() == 1);

    const Network deep = Network::parse(vgg19_features, "7 8 9 10 11", 4);
    REQUIRE(deep.dense_layers().size() == 5);
    CHECK(deep.dense_layers()[0].inputs == 512 * 16);
    CHECK(deep.dense_layers()[4].name == "classifier.12");
    for (std::size_t i = 0; i < 5; ++i) CHECK(deep.dense_layers()[i].relu_follows == (i < 4));
    CHECK(deep.natural_input_size() == 128);
    CHECK(Network::vgg(19).pooled_side() == 7);
    CHECK(Network::vgg(19).natural_input_size() == 224);
}

TEST_CASE("another number of classes changes only the last dense layer") {
    const Network factored = Network::parse(vgg19_features, "2:7 8 3:9", 2);
    const Network changed = factored.with_classes(5);
    CHECK(changed.classifier_text() == "2:7 8 5");
    CHECK(changed.features_text() == factored.features_text());
    CHECK(changed.pooled_side() == 2);
    CHECK(Network::parse(vgg19_features, "10", 1).with_classes(100) ==
          Network::parse(vgg19_features, "100", 1));
    for (const std::size_t classes : {std::size_t{0}, std::size_t{65537}}) {
        CHECK(error_of(ErrorKind::usage, [&] { factored.with_classes(classes); }) ==
              "classes: expected a number from 1 to 65536, found " + std::to_string(classes));
    }
}

TEST_CASE("a dense layer's weights have a name for each order") {
    const DenseLayer layer = Network::vgg(19).dense_layers()[1];
    const TensorShape plain = dense_weight(layer, DenseOrder::output_major);
    CHECK(plain.name == "classifier.3.weight");
    const DenseLayer last = Network::vgg(19).dense_layers()[2];
    const TensorShape transposed = dense_weight(last, DenseOrder::input_major);
    CHECK(transposed.name == "classifier.6.weight_transposed");
    CHECK(transposed.shape == std::vector<std::size_t>{4096, 1000});
}

TEST_CASE("INT4 dense weights have their own names, and padded groups") {
    const DenseLayer last = Network::vgg(19).dense_layers()[2];
    CHECK(int4_dense_weight(last).name == "classifier.6.weight_int4");
    CHECK(int4_dense_weight(last).shape == std::vector<std::size_t>{4096, 512});
    CHECK(int4_dense_scale(last).name == "classifier.6.weight_int4_scale");
    CHECK(int4_dense_scale(last).shape == std::vector<std::size_t>{4096, 32});
}

}  // namespace vgg19::model
