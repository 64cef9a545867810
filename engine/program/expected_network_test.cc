#include "engine/program/expected_network.h"

#include <doctest/doctest.h>

#include "engine/program/expected_run.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace vgg19 {

namespace {

using model::Network;

SessionOptions options_for(std::size_t size, int threads) {
    return {.threads = threads, .input_height = size, .input_width = size};
}

}  // namespace

TEST_CASE("the expected time of a network without weights is that of a session's plan") {
    kernels::testing::Random random;
    INFO(random.replay());
    const Network network = Network::parse("16 32 M 48 M 64 48 M 80 M 96 M", "64 48 10");
    auto tensors = testing::random_tensors(network, random);
    testing::make_input_major(network, tensors);
    const testing::TemporaryFolder folder;
    write_model(folder / "model", {network, {}, "baseline", std::string(64, '0'), {}}, tensors.tensors);
    const auto model = model::ModelFile::open(folder / "model");
    for (const std::size_t size : {32U, 224U}) {
        const SessionOptions options = options_for(size, 2);
        ExpectedNetworkTime time(options, Arithmetic::fp32);
        CHECK(time.seconds(network) ==
              doctest::Approx(expected_run(make_plan(model, options)).all.seconds).epsilon(1e-9));
        CHECK(time.seconds_by_layer(network) == doctest::Approx(time.seconds(network)).epsilon(0.05));
    }
}

TEST_CASE("in INT8, what is known of layers gives the same time as a plan of the whole network") {
    const Network network = Network::vgg(19);
    std::vector<std::size_t> widths;
    for (const auto& layer : network.convolutions()) widths.push_back(layer.output_channels);
    ExpectedNetworkTime time(options_for(224, 2), Arithmetic::int8);
    const double whole = time.seconds(network);
    for (std::size_t i = 0; i < widths.size(); ++i) {
        widths[i] -= 16 * (i % 3);
        const Network narrow = network.with_widths(widths).with_classifier_widths({512, 256 + 16 * i, 1000});
        const double fresh =
            expected_run(make_plan(narrow, {}, options_for(224, 2), Arithmetic::int8)).all.seconds;
        CHECK(time.seconds(narrow) == doctest::Approx(fresh).epsilon(1e-9));
    }
    CHECK(time.seconds(network) == doctest::Approx(whole).epsilon(1e-9));
}

}  // namespace vgg19
