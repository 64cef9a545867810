#include "engine/program/program.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "engine/testing/narrow_model.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/isas.h"

namespace vgg19 {

namespace {

/// The inputs of all layers except the first, and the logits, of one run.
struct Run {
    std::vector<kernels::AlignedBuffer> inputs;
    std::vector<float> logits;
};

struct Fixture {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;

    Fixture() { testing::write_narrow_model(folder / "model", random, 10, model::DenseOrder::input_major); }

    model::ModelFile open() const { return model::ModelFile::open(folder / "model"); }
    std::vector<float> images(std::size_t batch, MapSize size) {
        std::vector<float> values(batch * model::image_channels * size.pixels());
        random.fill(values, -1.0F, 1.0F);
        return values;
    }
};

/// The size in bytes of a layer's input, for a batch.
std::size_t input_bytes(const Plan& plan, std::size_t layer) {
    return plan.steps[plan.first_steps[layer]].input.bytes(plan.execution);
}

Run whole_run(Program& program, const float* images) {
    const Plan& plan = program.plan();
    Run run;
    run.inputs.resize(plan.layer_count());
    run.logits.resize(plan.steps.back().output.bytes(plan.execution) / sizeof(float));
    program.run(images, run.logits.data(), {}, [&](std::size_t layer, const float* input) {
        if (layer == 0) return;
        const std::size_t bytes = input_bytes(plan, layer);
        run.inputs[layer] = kernels::AlignedBuffer(bytes);
        std::copy_n(input, bytes / sizeof(float), run.inputs[layer].as<float>());
    });
    return run;
}

}  // namespace

TEST_CASE("a run from any layer to any other goes through what the whole run goes through") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const auto file = fixture.open();
    for (const std::string& isa : kernels::testing::isa_names_of_this_cpu()) {
        for (const MapSize size : {MapSize(32), MapSize(70), MapSize(40, 97)}) {
            CAPTURE(isa);
            CAPTURE(to_string(size));
            Program program(file, make_plan(file, {.threads = 2,
                                                   .input_height = size.height,
                                                   .input_width = size.width,
                                                   .batch = 2,
                                                   .isa = isa}));
            const std::size_t layers = program.plan().layer_count();
            const auto images = fixture.images(2, size);
            const Run whole = whole_run(program, images.data());
            for (std::size_t begin = 0; begin < layers; ++begin) {
                const float* input = begin == 0 ? images.data() : whole.inputs[begin].as<float>();
                const float* logits = program.run_layers(begin, layers, input);
                CHECK(std::equal(whole.logits.begin(), whole.logits.end(), logits));
                if (begin == 0) continue;
                const float* middle = program.run_layers(0, begin, images.data());
                CHECK(std::equal(input, input + whole.inputs[begin].size() / sizeof(float), middle));
            }
        }
    }
}

TEST_CASE("a dense step reports the operations and bytes of the weights that it has, folded ones too") {
    Fixture fixture;
    const auto file = fixture.open();
    for (const MapSize size : {MapSize(32), MapSize(40, 97), MapSize(256)}) {
        CAPTURE(to_string(size));
        const Program program(
            file, make_plan(file, {.input_height = size.height, .input_width = size.width, .batch = 3}));
        std::size_t dense_steps = 0;
        for (std::size_t i = 0; i < program.reports().size(); ++i) {
            const PlanStep& report = program.reports()[i];
            if (report.kind != StepKind::dense) continue;
            const Step& step = program.plan().steps[i];
            const std::size_t weights = step.input.values() * step.output.values();
            CHECK(report.operations == 2 * 3 * weights);
            CHECK(report.weight_bytes == weights * sizeof(float));
            ++dense_steps;
        }
        CHECK(dense_steps == file.network().dense_layers().size());
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
    const SessionOptions options = {.threads = 1, .input_height = 32, .input_width = 32};
    Program replaced(file, make_plan(file, options));
    replaced.replace_convolution(3, {.weights = values[0].data(), .bias = values[1].data()});
    const model::ModelFile other = file.with(tensors);
    Program expected(other, make_plan(other, options));
    const auto images = fixture.images(1, 32);
    CHECK(whole_run(replaced, images.data()).logits == whole_run(expected, images.data()).logits);
}

}  // namespace vgg19
