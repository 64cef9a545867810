#include "converter/refit/target.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "converter/prune/prunable_layers.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

const model::Network& network() {
    static const auto instance = model::Network::parse("32 64 M 64 M 96 M 128 M 128 M", "64 64 10");
    return instance;
}

/// Curves sensitivity · ratio², one for each prunable layer, or for the first ones.
std::vector<LayerScan> curves(const std::vector<double>& sensitivity) {
    std::vector<LayerScan> layers;
    for (std::size_t i = 0; i < sensitivity.size(); ++i) {
        const PrunableLayer prunable = prunable_layers(network())[i];
        LayerScan& layer = layers.emplace_back(LayerScan{prunable.name(), i, {}});
        for (int tenth = 1; tenth < 10; ++tenth) {
            const double ratio = tenth / 10.0;
            const auto removed =
                static_cast<std::size_t>(std::nearbyint(ratio * static_cast<double>(prunable.channels)));
            layer.points.push_back({ratio, removed, sensitivity[i] * ratio * ratio, 0});
        }
    }
    return layers;
}

std::vector<std::size_t> widths_left(const std::vector<std::size_t>& removed) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < removed.size(); ++i) {
        widths.push_back(prunable_layers(network())[i].channels - removed[i]);
    }
    return widths;
}

double share_left(const std::vector<std::size_t>& removed, std::size_t size) {
    return static_cast<double>(with_prunable_widths(network(), widths_left(removed)).macs(size)) /
           static_cast<double>(network().macs(size));
}

/// The widths for a share of the multiply-accumulates.
struct MacTarget {
    double share = 0;
    MapSize input_size{};
    std::size_t round_to = 1;
};
std::vector<std::size_t> removed_for_target(const std::vector<LayerScan>& layers, const MacTarget& target) {
    return removed_for_limits(network(), layers, {mac_limit(network(), target.share, target.input_size)},
                              target.round_to);
}

}  // namespace

TEST_CASE("a target is reached, and exceeded by less than a step") {
    const auto layers = curves({1, 1, 1, 1, 1, 1});
    for (const std::size_t size : {32U, 224U}) {
        for (const std::size_t round_to : {1U, 16U}) {
            for (const double share : {0.9, 0.5, 0.25}) {
                CAPTURE(size);
                CAPTURE(round_to);
                CAPTURE(share);
                const auto removed = removed_for_target(layers, {share, size, round_to});
                CHECK(share_left(removed, size) <= share);
                CHECK(share_left(removed, size) > share - 0.16);  // the largest step, of 16 of 64 filters
                for (const std::size_t width : widths_left(removed)) CHECK(width % round_to == 0);
            }
        }
    }
    CHECK(removed_for_target(layers, {1, 224, 16}) == std::vector<std::size_t>(8));
}

TEST_CASE("less important layers lose more, and layers without a scan nothing") {
    auto layers = curves({1, 1, 0.01, 1, 1, 1});
    auto removed = removed_for_target(layers, {0.7, 224, 1});
    CHECK(removed[2] > 50);
    CHECK(removed[1] < 20);
    layers.erase(layers.begin() + 1);
    removed = removed_for_target(layers, {0.6, 224, 1});
    CHECK(removed[1] == 0);
}

TEST_CASE("a bump in a curve does not hide better points after it") {
    auto layers = curves({1, 1, 1, 1, 1, 1});
    for (ScanPoint& point : layers[2].points) point.relative_l2 = point.ratio < 0.25 ? 0.2 : 0.001;
    const auto removed = removed_for_target(layers, {0.8, 224, 1});
    CHECK(removed[2] > 30);
}

TEST_CASE("invalid and unreachable shares are refused") {
    const auto layers = curves({1, 1, 1, 1, 1, 1});
    for (const double share : {0.0, -0.5, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(error_of(ErrorKind::usage, [&] {
                  removed_for_target(layers, {share, 224, 1});
              }) == Containing("share of the work to keep: expected more than 0 and at most 1, found"));
    }
    CHECK(error_of(ErrorKind::usage, [&] {
              removed_for_target(layers, {0.001, 224, 1});
          }) == Containing("which is all that the chosen layers can give, found 0.001"));
}

}  // namespace vgg19::converter
