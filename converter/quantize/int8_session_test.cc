// Sessions of models with all layers, or some layers, in INT8.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "converter/import/reorder.h"
#include "converter/prune/prune.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"
#include "engine/model/model_access.h"
#include "engine/testing/error_of.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/isas.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::converter {

namespace {

using kernels::testing::cosine;
using kernels::testing::isa_names_of_this_cpu;
using kernels::testing::Random;
using model::Network;

/// Widths close to those of a vector and a block, and pools after FP32 and INT8 layers.
Network network() {
    return Network::parse("20 M 33 17 M 40 M 31 M 48 M", "70 33 10");
}

struct Fixture {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{network(), random};
    model::ModelFile baseline = weights.write_input_major(folder / "baseline");
    testing::Pictures pictures{folder / "pictures.bin", random};
    std::vector<ConvolutionStatistics> statistics = calibrate(baseline, pictures.images(8));

    Model quantized(const std::string& name, const FullOptions& options) const {
        write_full(baseline, quantize_all(baseline, statistics, options), "quantize --scope all",
                   folder / name);
        return model::map_model(folder / name);
    }
    std::vector<float> input(std::size_t images, MapSize size) {
        std::vector<float> values(images * 3 * size.pixels());
        random.fill(values, -2.0F, 2.0F);
        return values;
    }
};

std::vector<float> logits(const Model& model, const SessionOptions& options, std::span<const float> input) {
    Session session(model, options);
    std::vector<float> result(options.batch * model.classes());
    session.run(input, result);
    return result;
}

/// The kernels of all steps with names that begin with `prefix`.
std::size_t steps_of(const Model& model, const SessionOptions& options, const std::string& kernel) {
    const Session session(model, options);
    const std::vector<PlanStep>& plan = session.plan();
    return static_cast<std::size_t>(std::count_if(
        plan.begin(), plan.end(), [&](const PlanStep& step) { return step.kernel.starts_with(kernel); }));
}

}  // namespace

TEST_CASE(
    "INT8 logits are close to FP32's on every ISA, direct and by Winograd, and do not depend on threads") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model full = fixture.quantized("full", {});
    const Model baseline = Model::open(fixture.folder / "baseline");
    for (const MapSize size : {MapSize(32), MapSize(37), MapSize(33, 70)}) {
        const std::vector<float> input = fixture.input(1, size);
        const std::vector<float> expected =
            logits(baseline, {.input_height = size.height, .input_width = size.width}, input);
        for (const std::string& isa : isa_names_of_this_cpu()) {
            for (const char* convolution : {"auto", "direct", "winograd"}) {
                CAPTURE(isa);
                CAPTURE(convolution);
                SessionOptions options = {.threads = 1,
                                          .input_height = size.height,
                                          .input_width = size.width,
                                          .isa = isa,
                                          .convolution = convolution};
                const std::vector<float> found = logits(full, options, input);
                CHECK(cosine(found, expected) >= 0.99);
                for (const int threads : {2, 3, 8}) {
                    options.threads = threads;
                    CHECK(logits(full, options, input) == found);
                }
            }
        }
    }
}

TEST_CASE("an image's INT8 logits do not depend on the others of its batch") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model full = fixture.quantized("full", {});
    const std::vector<float> inputs = fixture.input(3, 32);
    const std::vector<float> together =
        logits(full, {.input_height = 32, .input_width = 32, .batch = 3}, inputs);
    for (std::size_t image = 0; image < 3; ++image) {
        const auto alone = logits(full, {.input_height = 32, .input_width = 32},
                                  std::span(inputs).subspan(image * 3 * 32 * 32, 3 * 32 * 32));
        CHECK(std::equal(alone.begin(), alone.end(),
                         together.begin() + static_cast<std::ptrdiff_t>(image * 10)));
    }
}

TEST_CASE(
    "a model calibrated on small pictures is right on larger ones, by every tile that it has scales for") {
    Fixture fixture;  // calibrated at 32x32, where the last convolution's maps have 2x2 pixels
    INFO(fixture.random.replay());
    const Model baseline = Model::open(fixture.folder / "baseline");
    const Model full = fixture.quantized("full", {});
    const model::ModelFile& file = model::file_of(full);
    for (const model::ConvolutionLayer& layer : file.network().convolutions()) {
        if (!file.is_int8(layer.name)) continue;
        const bool filled = file.network().map_size(layer, 32).height >= 4;
        CHECK((file.find(model::winograd_f4x4_input_scale_name(layer.name)) != nullptr) == filled);
    }
    for (const MapSize size : {MapSize(64), MapSize(96, 128)}) {
        const std::vector<float> input = fixture.input(1, size);
        SessionOptions options;
        options.set_input_size(size);
        const std::vector<float> expected = logits(baseline, options, input);
        for (const std::string& isa : isa_names_of_this_cpu()) {
            for (const char* convolution : {"auto", "direct", "winograd"}) {
                CAPTURE(isa);
                CAPTURE(convolution);
                options.isa = isa;
                options.convolution = convolution;
                CHECK(cosine(logits(full, options, input), expected) >= 0.99);
            }
        }
    }
}

TEST_CASE("the convolution option selects the INT8 kernels") {
    Fixture fixture;
    FullOptions options;
    options.no_winograd = {"features.3"};
    const Model full = fixture.quantized("full", options);
    CHECK(steps_of(full, {.input_height = 32, .input_width = 32, .convolution = "direct"}, "conv_int8_") ==
          5);
    CHECK(steps_of(full, {.input_height = 32, .input_width = 32, .convolution = "winograd"},
                   "winograd_int8_") == 4);
    CHECK(steps_of(full, {.input_height = 32, .input_width = 32, .convolution = "winograd"}, "conv_int8_") ==
          1);
    CHECK(steps_of(full, {.input_height = 32, .input_width = 32}, "dense_int8_sparse_input_") == 3);
}

TEST_CASE("FP32 layers between INT8 ones read floats and write 8 bits") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model baseline = Model::open(fixture.folder / "baseline");
    const std::vector<float> input = fixture.input(1, 64);
    const std::vector<float> expected = logits(baseline, {.input_height = 64, .input_width = 64}, input);
    for (const std::vector<std::string>& kept :
         {std::vector<std::string>{"features.3"}, {"features.5"}, {"features.8"}, {"features.14"}}) {
        FullOptions options;
        options.keep_fp32 = kept;
        const Model mixed = fixture.quantized("mixed", options);
        for (const std::string& isa : isa_names_of_this_cpu()) {
            CAPTURE(isa);
            CAPTURE(kept.front());
            CHECK(cosine(logits(mixed, {.input_height = 64, .input_width = 64, .isa = isa}, input),
                         expected) >= 0.99);
        }
        CHECK(steps_of(mixed, {.input_height = 64, .input_width = 64}, "quantize_blocked_") >=
              (kept.front() == "features.14" ? 0U : 1U));
    }
}

TEST_CASE("INT8 dense weights give the same bits in either order if the average pool is not folded") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const Model full = fixture.quantized("full", {});
    reorder_dense(model::file_of(full), fixture.folder / "output-major", model::DenseOrder::output_major);
    const Model reordered = Model::open(fixture.folder / "output-major");
    CHECK(steps_of(reordered, {.input_height = 32, .input_width = 32}, "dense_int8_sparse_input_") == 0);
    constexpr std::size_t size = model::default_pooled_side << model::pools;
    const std::vector<float> input = fixture.input(1, size);
    for (const std::string& isa : isa_names_of_this_cpu()) {
        CAPTURE(isa);
        const SessionOptions options = {.input_height = size, .input_width = size, .isa = isa};
        CHECK(logits(reordered, options, input) == logits(full, options, input));
    }
}

TEST_CASE("filters in INT8 cannot be pruned, and the error says what to do") {
    Fixture fixture;
    const Model full = fixture.quantized("full", {});
    const std::string message = vgg19::testing::error_of(
        ErrorKind::usage, [&] { static_cast<void>(plan_pruning(model::file_of(full), {.layers = {}})); });
    CHECK(message.find("features.3: expected FP32 filters, found INT8; prune first, then quantise") !=
          std::string::npos);
}

}  // namespace vgg19::converter
