#include "engine/forward.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "engine/testing/narrow_model.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/isas.h"

namespace vgg19 {

namespace {

/// The input of each layer but the first, and the logits, of one run.
struct Run {
    std::vector<kernels::AlignedBuffer> inputs;
    std::vector<float> logits;
};

struct Fixture {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;

    Fixture() { testing::write_narrow_model(folder / "model", random, 10, model::DenseOrder::input_major); }

    model::ModelFile open() const { return model::ModelFile::open(folder / "model"); }
    std::vector<float> images(std::size_t batch, std::size_t size) {
        std::vector<float> values(batch * model::image_channels * size * size);
        random.fill(values, -1.0F, 1.0F);
        return values;
    }
};

/// Floats of a layer's input, for a batch.
std::size_t input_size(const model::Network& network, const Plan& plan, const ForwardPass& pass,
                       std::size_t layer) {
    const auto& convolutions = network.convolutions();
    const layers::Execution& execution = plan.execution;
    if (layer < convolutions.size()) {
        const std::size_t side = network.map_size(convolutions[layer], plan.input_size);
        return kernels::blocked_size(execution.batch, convolutions[layer].input_channels, side, side,
                                     execution.channel_block());
    }
    if (layer == convolutions.size()) {
        const std::size_t side = pass.dense_input_side();
        return execution.batch * convolutions.back().output_channels * side * side;
    }
    return execution.batch * network.dense_layers()[layer - convolutions.size()].inputs;
}

Run whole_run(const model::ModelFile& file, const Plan& plan, ForwardPass& pass, const float* images) {
    Run run;
    run.inputs.resize(pass.layer_count());
    run.logits.resize(plan.execution.batch * file.network().classes());
    pass.run(images, run.logits.data(), {}, [&](std::size_t layer, const float* input) {
        if (layer == 0) return;
        const std::size_t size = input_size(file.network(), plan, pass, layer);
        run.inputs[layer] = kernels::AlignedBuffer(size * sizeof(float));
        std::copy_n(input, size, run.inputs[layer].as<float>());
    });
    return run;
}

}  // namespace

TEST_CASE("a run from any layer to any other goes through what the whole run goes through") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto file = fixture.open();
    for (const std::string& isa : kernels::testing::isa_names_of_this_cpu()) {
        for (const std::size_t size : {32U, 70U}) {
            CAPTURE(isa);
            CAPTURE(size);
            const Plan plan = make_plan(file, {.threads = 2, .input_size = size, .batch = 2, .isa = isa});
            ForwardPass pass(file, plan);
            const auto images = fixture.images(2, size);
            const Run whole = whole_run(file, plan, pass, images.data());
            for (std::size_t begin = 0; begin < pass.layer_count(); ++begin) {
                const float* input = begin == 0 ? images.data() : whole.inputs[begin].as<float>();
                const float* logits = pass.run_layers(begin, pass.layer_count(), input);
                CHECK(std::equal(whole.logits.begin(), whole.logits.end(), logits));
                if (begin == 0) continue;
                const float* middle = pass.run_layers(0, begin, images.data());
                CHECK(std::equal(input, input + whole.inputs[begin].size() / sizeof(float), middle));
            }
        }
    }
}

TEST_CASE("a convolution with other weights is that of a model which has them") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto file = fixture.open();
    const auto& layer = file.network().convolutions()[3];
    std::vector<model::Tensor> tensors = {file.tensor(model::weight_name(layer.name)),
                                          file.tensor(model::bias_name(layer.name))};
    std::vector<std::vector<float>> values;
    for (model::Tensor& tensor : tensors) {
        auto& changed = values.emplace_back(tensor.elements());
        fixture.random.fill(changed, -0.5F, 0.5F);
        tensor.bytes = std::as_bytes(std::span(changed));
    }
    const Plan plan = make_plan(file, {.threads = 1, .input_size = 32});
    ForwardPass replaced(file, plan);
    replaced.replace_convolution(plan, 3, {.weights = values[0].data(), .bias = values[1].data()});
    const model::ModelFile other = file.with(tensors);
    ForwardPass expected(other, plan);
    const auto images = fixture.images(1, 32);
    CHECK(whole_run(file, plan, replaced, images.data()).logits ==
          whole_run(other, plan, expected, images.data()).logits);
}

}  // namespace vgg19
