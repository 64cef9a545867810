#include "converter/refit/scan.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "converter/prune/prune.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/refit/least_loss.h"
#include "converter/refit/moments.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

struct Fixture {
    kernels::testing::Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("6 9 M 10 M 1 M 12 M 18 M", "17 16 10"), random};
    testing::Pictures pictures{folder / "pictures.bin", random, 20};

    std::vector<LayerScan> scan(const model::ModelFile& model, const PruneOptions& options, int threads = 1) {
        const CalibrationImages images = pictures.images(20, threads);
        const ChannelStatistics found = measure_statistics(model, images, options.dense);
        return converter::scan(model, removal_orders(model, options, by_activation(model, found)), found,
                               images);
    }
};

}  // namespace

TEST_CASE("each layer and ratio is measured alone, except those that would leave no filter") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto model = fixture.weights.write(fixture.folder / "model");
    const auto layers = fixture.scan(model, {.criterion = Criterion::activation});
    REQUIRE(layers.size() == 6);
    CHECK(layers[0].layer == "features.0");
    CHECK(layers[3].points.empty());  // this layer has one filter
    CHECK(layers[5].place == 5);
    REQUIRE(layers[5].points.size() == 9);
    CHECK(layers[5].points[0].removed == 2);
    CHECK(layers[5].points[8].removed == 16);
    for (const LayerScan& layer : layers) {
        CAPTURE(layer.layer);
        for (const ScanPoint& point : layer.points) {
            CHECK(point.relative_l2 >= 0);
            CHECK(point.relative_l2 < 2);
            CHECK(point.changed_top1 <= 1);
        }
    }
    const std::string csv = scan_csv(layers);
    CHECK(csv.starts_with("layer,ratio,removed,relative_l2,changed_top1\nfeatures.0,0.1,1,"));
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 9 * 5);
}

TEST_CASE("hidden layers are measured too, if they are asked for") {
    Fixture fixture;
    INFO(fixture.random.replay());
    auto& reader = fixture.weights.values("classifier.6.weight");  // (10, 16)
    for (std::size_t i = 0; i < reader.size(); ++i) {
        if (i % 16 != 5 && i % 16 != 11) reader[i] = 0;
    }
    const auto model = fixture.weights.write(fixture.folder / "model");
    const auto layers =
        fixture.scan(model, {.layers = {14}, .dense = true, .criterion = Criterion::activation});
    REQUIRE(layers.size() == 3);
    CHECK(layers[1].layer == "classifier.0");
    CHECK(layers[1].place == 6);
    CHECK(layers[2].layer == "classifier.3");
    REQUIRE(layers[2].points.size() >= 2);
    CHECK(layers[2].points[1].removed == 14);  // all except the two that are read
    CHECK(layers[2].points[1].relative_l2 < 1e-6);
    CHECK(layers[1].points[1].relative_l2 > 1e-3);
}

TEST_CASE("an unused filter costs nothing, a used one does") {
    Fixture fixture;
    INFO(fixture.random.replay());
    auto& next = fixture.weights.values("features.5.weight");  // (10, 9, 3, 3)
    for (std::size_t i = 0; i < next.size(); ++i) {
        if (i / 9 % 9 != 4) next[i] = 0;
    }
    const auto model = fixture.weights.write(fixture.folder / "model");
    const auto layers = fixture.scan(model, {.layers = {2}, .criterion = Criterion::activation});
    REQUIRE(layers.size() == 1);
    CHECK(layers[0].points.back().removed == 8);  // all except the one that is read
    CHECK(layers[0].points.back().relative_l2 < 1e-6);
    CHECK(layers[0].points.back().changed_top1 == 0);
}

TEST_CASE("a scan is the same for every number of threads") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto model = fixture.weights.write(fixture.folder / "model");
    const PruneOptions options = {.layers = {0, 5, 14}, .criterion = Criterion::activation};
    CHECK(scan_csv(fixture.scan(model, options, 1)) == scan_csv(fixture.scan(model, options, 3)));
}

TEST_CASE("a model that is quantised cannot be scanned") {
    Fixture fixture;
    quantize_dense(fixture.weights.write(fixture.folder / "model"), fixture.folder / "int8");
    const auto quantized = model::ModelFile::open(fixture.folder / "int8");
    CHECK(error_of(ErrorKind::usage, [&] { fixture.scan(quantized, {}); }) ==
          Containing("expected FP32 weights throughout"));
}

}  // namespace vgg19::converter
