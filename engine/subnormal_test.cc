#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "engine/model/model_access.h"
#include "engine/program/plan.h"
#include "engine/program/program.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "kernels/isa/isa.h"
#include "kernels/onednn/conv_onednn.h"
#include "vgg19/vgg19.hpp"

namespace vgg19 {

namespace {

constexpr std::size_t size = 48;
constexpr std::size_t classes = 10;

/// Volatile, so that the processor computes it now.
bool thread_has_subnormals() {
    volatile float read = 1e-40F;
    volatile float written = 1e-30F;
    volatile float large = 1e10F;
    return read * large != 0 && written / large != 0;
}

bool is_subnormal(float value) {
    return std::fpclassify(value) == FP_SUBNORMAL;
}

/// Replaces every second value by a subnormal number.
void make_half_subnormal(std::span<float> values, kernels::testing::Random& random) {
    std::vector<float> factors(values.size());
    random.fill(factors, -1.0F, 1.0F);
    for (std::size_t i = 0; i < values.size(); i += 2) {
        values[i] = factors[i] * std::numeric_limits<float>::min();
    }
}

void make_subnormals_zero(std::span<float> values) {
    std::replace_if(values.begin(), values.end(), is_subnormal, 0.0F);
}

struct Models {
    testing::TemporaryFolder folder;

    Model write(const testing::RandomTensors& tensors, const std::string& name) const {
        const model::Network network = testing::narrow_network(classes);
        model::write_model(folder / name,
                           {.network = network,
                            .preprocessing = {.input_size = 32},
                            .variant = "baseline",
                            .source_sha256 = std::string(64, '0'),
                            .lineage = {"random"}},
                           tensors.tensors);
        return Model::open(folder / name);
    }
};

std::vector<float> logits(const Model& model, SessionOptions options, const std::vector<float>& input) {
    options.set_input_size(size);
    Session session(model, options);
    std::vector<float> output(classes);
    session.run(input, output);
    return output;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<float> random_input(kernels::testing::Random& random) {
    std::vector<float> input(3 * size * size);
    random.fill(input, -2.0F, 2.0F);
    return input;
}

void check_same(const Model& model, const std::vector<float>& input, const Model& expected_model,
                const std::vector<float>& expected_input) {
    for (const kernels::Isa isa : kernels::testing::isas_of_this_cpu()) {
        for (const std::string convolution : {"auto", "winograd", "onednn"}) {
            if (convolution == "onednn" &&
                (kernels::onednn_version() == "none" || !kernels::runs(isa, kernels::Isa::avx2))) {
                continue;
            }
            CAPTURE(kernels::isa_name(isa));
            CAPTURE(convolution);
            SessionOptions options{.threads = 1, .isa = kernels::isa_name(isa), .convolution = convolution};
            const std::vector<float> expected = logits(expected_model, options, expected_input);
            CHECK(std::any_of(expected.begin(), expected.end(), [](float value) { return value != 0; }));
            for (options.threads = 1; options.threads <= 3; ++options.threads) {
                CHECK(same_bits(expected, logits(model, options, input)));
            }
        }
    }
}

}  // namespace

TEST_CASE("subnormal weights, biases and inputs are zeros") {
    kernels::testing::Random random;
    INFO(random.replay());
    const Models models;
    testing::RandomTensors tensors = testing::random_tensors(testing::narrow_network(classes), random);
    std::vector<float> input = random_input(random);
    for (std::vector<float>& values : tensors.values) make_half_subnormal(values, random);
    make_half_subnormal(input, random);
    const std::vector<float> subnormal_input = input;
    const Model subnormal = models.write(tensors, "subnormal");
    for (std::vector<float>& values : tensors.values) make_subnormals_zero(values);
    make_subnormals_zero(input);
    const Model zero = models.write(tensors, "zero");
    check_same(subnormal, subnormal_input, zero, input);
}

TEST_CASE("activations that would be subnormal are zeros") {
    kernels::testing::Random random;
    INFO(random.replay());
    const Models models;
    const model::Network network = testing::narrow_network(classes);
    testing::RandomTensors tensors = testing::random_tensors(network, random);
    // The second convolution multiplies 1e-20 by 1e-20.
    const std::string first = network.convolutions()[0].name;
    const std::string second = network.convolutions()[1].name;
    const auto values_of = [&](const std::string& name) -> std::vector<float>& {
        const auto tensor = std::find_if(tensors.tensors.begin(), tensors.tensors.end(),
                                         [&](const model::Tensor& found) { return found.name == name; });
        return tensors.values[static_cast<std::size_t>(tensor - tensors.tensors.begin())];
    };
    for (const std::string& name : {first, second}) {
        for (float& value : values_of(model::weight_name(name))) value *= 1e-20F;
    }
    std::fill_n(values_of(model::bias_name(first)).begin(), network.convolutions()[0].output_channels, 0.0F);
    const Model small = models.write(tensors, "small");
    for (float& value : values_of(model::weight_name(second))) value = 0;
    const Model zero = models.write(tensors, "zero");
    const std::vector<float> input = random_input(random);
    check_same(small, input, zero, input);
}

TEST_CASE("a caller has its own floating-point mode again, also after an error") {
    kernels::testing::Random random;
    const Models models;
    const Model model =
        models.write(testing::random_tensors(testing::narrow_network(classes), random), "model");
    REQUIRE(thread_has_subnormals());
    Session session(model, {.threads = 2, .input_height = size, .input_width = size});
    CHECK(thread_has_subnormals());
    std::vector<float> input = random_input(random);
    std::vector<float> output(classes);
    session.run(input, output);
    CHECK(thread_has_subnormals());
    testing::error_of(ErrorKind::usage, [&] { Session(model, {.threads = 2, .isa = "none"}); });
    CHECK(thread_has_subnormals());
    Program program(
        model::file_of(model),
        make_plan(model::file_of(model), {.threads = 2, .input_height = size, .input_width = size}));
    testing::error_of(ErrorKind::failed, [&] {
        program.run(input.data(), output.data(), {}, [](std::size_t /*layer*/, const float* /*values*/) {
            CHECK(!thread_has_subnormals());
            throw Error(ErrorKind::failed, "an observer's");
        });
    });
    CHECK(thread_has_subnormals());
}

}  // namespace vgg19
