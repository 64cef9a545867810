#include "converter/variants/seeded_weights.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "converter/variants/testing/narrow_models.h"

namespace vgg19::converter {

namespace {

std::vector<float> normal_values(std::size_t count, std::uint64_t stream, int threads) {
    std::vector<float> values(count);
    fill_normal(values, 1, 7, stream, threads);
    return values;
}

/// The mean of a power of the values.
double moment(const std::vector<float>& values, int power) {
    double sum = 0;
    for (const float value : values) sum += std::pow(double{value}, power);
    return sum / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("seeded values depend neither on the number of threads nor on how many are generated") {
    // More values than one task generates.
    const std::vector<float> many = normal_values(200'003, 1, 1);
    CHECK(many == normal_values(200'003, 1, 2));
    CHECK(many == normal_values(200'003, 1, 5));
    const std::vector<float> few = normal_values(7, 1, 1);
    CHECK(few == std::vector<float>(many.begin(), many.begin() + 7));
}

TEST_CASE("seeded values are the same on every machine and never change") {
    // Values of the current version: a change would make cached files stale, so increase
    // seeded_weights_version with it.
    const std::vector<float> values = normal_values(4, 1, 1);
    CHECK(values == std::vector<float>{-0x1.4b354cp-1F, -0x1.b6c126p-1F, 0x1.8f210cp-1F, 0x1.42c462p-1F});
}

TEST_CASE("streams and seeds differ") {
    CHECK(normal_values(100, 1, 1) != normal_values(100, 2, 1));
    std::vector<float> other_seed(100);
    fill_normal(other_seed, 1, 8, 1, 1);
    CHECK(normal_values(100, 1, 1) != other_seed);
}

TEST_CASE("seeded values are normal: moments and quantiles") {
    const std::vector<float> values = normal_values(2'000'000, 3, 2);
    // The tolerances are five standard errors of each moment.
    CHECK(std::abs(moment(values, 1)) < 5 * std::sqrt(1.0 / 2e6));
    CHECK(std::abs(moment(values, 2) - 1) < 5 * std::sqrt(2.0 / 2e6));
    CHECK(std::abs(moment(values, 3)) < 5 * std::sqrt(15.0 / 2e6));
    CHECK(std::abs(moment(values, 4) - 3) < 5 * std::sqrt(96.0 / 2e6));
    for (const double limit : {-3.0, -1.5, -1.0, 0.0, 0.5, 1.44, 2.5, 4.0}) {
        double below = 0;
        for (const float value : values) below += value < limit ? 1 : 0;
        const double expected = std::erfc(-limit / std::sqrt(2.0)) / 2;
        INFO("limit " << limit);
        CHECK(std::abs(below / 2e6 - expected) < 5 * std::sqrt(expected * (1 - expected) / 2e6) + 1e-7);
    }
}

TEST_CASE("neighbouring values do not depend on each other") {
    const std::vector<float> values = normal_values(1'000'000, 4, 2);
    for (const std::size_t lag : {1U, 2U, 3U, 16U}) {
        double sum = 0;
        for (std::size_t i = lag; i < values.size(); ++i) sum += double{values[i]} * double{values[i - lag]};
        INFO("lag " << lag);
        CHECK(std::abs(sum / 1e6) < 5 / std::sqrt(1e6));
    }
}

TEST_CASE("a seeded model is a baseline with torchvision's initialisation") {
    const testing::TemporaryFolder folder;
    const model::Network network = testing::narrow_network();
    write_seeded_model(folder.path() / "model.safetensors", network, 2);
    const auto file = model::ModelFile::open(folder.path() / "model.safetensors");
    CHECK(file.network() == network);
    CHECK(file.description().variant == "baseline");
    CHECK(file.description().lineage == seeded_description(network).lineage);

    const auto deviation_of = [&](const std::string& tensor) {
        const auto weights = file.tensor(tensor).as<float>();
        return std::sqrt(moment({weights.begin(), weights.end()}, 2));
    };
    CHECK(deviation_of("features.34.weight") == doctest::Approx(std::sqrt(2.0 / (9 * 32))).epsilon(0.1));
    CHECK(deviation_of("classifier.3.weight_transposed") == doctest::Approx(0.01).epsilon(0.1));
    for (const float bias : file.tensor("classifier.0.bias").as<float>()) CHECK(bias == 0);
}

}  // namespace vgg19::converter
