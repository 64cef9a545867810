#include "engine/program/plan.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kernels/common/testing/isas.h"
#include "kernels/winograd/error.h"

namespace vgg19 {

namespace {

using kernels::testing::isa_names_of_this_cpu;
using layers::ConvolutionAlgorithm;

Plan vgg19_plan(const SessionOptions& options) {
    return make_plan(model::Network::vgg(19), Preprocessing{}, options);
}

std::vector<ConvolutionAlgorithm> algorithms(const Plan& plan) {
    std::vector<ConvolutionAlgorithm> result;
    for (const PlannedConvolution& convolution : plan.convolutions) result.push_back(convolution.algorithm());
    return result;
}

}  // namespace

TEST_CASE("what runs depends on neither threads nor batch, so that results do not either") {
    for (const std::string& isa : isa_names_of_this_cpu()) {
        const auto expected = algorithms(vgg19_plan({.threads = 1, .isa = isa}));
        for (const int threads : {2, 3, 8}) {
            CHECK(algorithms(vgg19_plan({.threads = threads, .isa = isa})) == expected);
            CHECK(algorithms(vgg19_plan({.threads = threads, .batch = 8, .isa = isa})) == expected);
        }
    }
}

TEST_CASE("ways are in the order of their cost, and filters that take more memory raise it") {
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const std::size_t size : {32U, 160U, 224U, 300U}) {
            const Plan plan = vgg19_plan({.input_height = size, .input_width = size, .isa = isa});
            for (const PlannedConvolution& planned : plan.convolutions) {
                CAPTURE(planned.layer);
                REQUIRE(!planned.estimates.empty());
                CHECK(std::is_sorted(planned.estimates.begin(), planned.estimates.end(),
                                     [](const auto& a, const auto& b) { return a.cost() < b.cost(); }));
            }
        }
    }
    const layers::ConvolutionEstimate light = {
        .algorithm = ConvolutionAlgorithm::winograd_f2x2, .time = {.seconds = 1e-3}, .weight_bytes = 4e6};
    const layers::ConvolutionEstimate heavy = {
        .algorithm = ConvolutionAlgorithm::winograd_f4x4, .time = {.seconds = 1e-3}, .weight_bytes = 8e6};
    CHECK(heavy.cost() > light.cost());
    CHECK(heavy.cost() < 1.03 * light.cost());
}

TEST_CASE("packed FP32 filters take no more than 4.25 times their own memory") {
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const std::size_t size : {32U, 160U, 224U, 300U}) {
            double packed = 0;
            double plain = 0;
            for (const PlannedConvolution& planned :
                 vgg19_plan({.input_height = size, .input_width = size, .isa = isa}).convolutions) {
                packed += planned.estimates.front().weight_bytes;
                plain += 9.0 * sizeof(float) *
                         static_cast<double>(planned.shape.input_channels * planned.shape.output_channels);
            }
            CAPTURE(isa);
            CAPTURE(size);
            CHECK(packed <= 4.25 * plain);
        }
    }
}

TEST_CASE("tiles are left to the layers that they are accurate enough for") {
    const auto has_tile = [](const PlannedConvolution& planned, kernels::WinogradTile tile) {
        return std::any_of(planned.estimates.begin(), planned.estimates.end(), [&](const auto& estimate) {
            return estimate.algorithm == layers::winograd_algorithm(tile);
        });
    };
    for (const std::string& isa : isa_names_of_this_cpu()) {
        for (const PlannedConvolution& planned :
             vgg19_plan({.isa = isa, .convolution = "winograd"}).convolutions) {
            if (planned.shape.plain_input) continue;
            for (const kernels::WinogradTile tile : kernels::winograd_tiles) {
                const double error = kernels::winograd_error(tile, planned.shape.input_channels);
                CHECK(has_tile(planned, tile) == (error <= 5e-6));
            }
        }
    }
}

TEST_CASE("narrow layers get tiles of smaller errors, since their sums may cancel") {
    for (const std::size_t channels : {1U, 2U, 4U, 8U, 16U, 64U}) {
        CAPTURE(channels);
        const layers::ConvolutionShape shape = {
            .input_channels = channels, .output_channels = 4, .size = MapSize(56)};
        const auto estimates = layers::convolution_estimates(shape, {}, layers::ConvolutionChoice::winograd);
        CHECK(!estimates.empty());
        for (const layers::ConvolutionEstimate& estimate : estimates) {
            const auto tile = layers::winograd_tile(estimate.algorithm);
            REQUIRE(tile);
            CHECK(kernels::winograd_error(*tile, channels) <=
                  5e-6 * std::min(1.0, static_cast<double>(channels) / 16));
        }
    }
}

TEST_CASE("wide layers of FP32 run on our Winograd kernels on every ISA") {
    for (const std::string& isa : isa_names_of_this_cpu()) {
        const auto found = algorithms(vgg19_plan({.isa = isa}));
        for (std::size_t index = 0; index < found.size(); ++index) {
            CHECK(found[index] != ConvolutionAlgorithm::direct);
            CHECK(found[index] != ConvolutionAlgorithm::onednn);
        }
    }
}

}  // namespace vgg19
