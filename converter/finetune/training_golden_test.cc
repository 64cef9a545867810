// Compares training with PyTorch's for a narrow VGG-19. testdata/make.py wrote the data and describes it.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/finetune/optimizer.h"
#include "converter/finetune/training_network.h"
#include "converter/import/import.h"
#include "engine/model/safetensors.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/isas.h"
#include "tests/golden/input_image.h"

namespace vgg19::converter {

namespace {

using model::DenseOrder;
using model::SafetensorsFile;

constexpr std::size_t steps = 10;
constexpr std::size_t batch = 3;

std::filesystem::path data(const std::string& name) {
    return std::filesystem::path(VGG19_FINETUNE_TESTDATA) / name;
}

struct Case {
    const char* golden;
    std::size_t size;
    OptimizerOptions options;
    double learning_rate;
};

struct Batch {
    std::vector<float> images;
    std::vector<std::size_t> labels;
};

Batch batch_of(std::size_t step, std::size_t size, std::size_t classes) {
    Batch result;
    for (std::size_t image = 0; image < batch; ++image) {
        const std::size_t seed = (batch * step + image) % 15 + 1;
        const auto pixels = testing::input_image(size, static_cast<std::uint32_t>(seed));
        result.images.insert(result.images.end(), pixels.begin(), pixels.end());
        result.labels.push_back(3 * seed % classes);
    }
    return result;
}

/// PyTorch's name of a parameter, and its values in PyTorch's order.
struct TorchTensor {
    std::string name;
    std::vector<float> values;
};

TorchTensor as_torch(const Parameter& parameter, std::span<const float> values) {
    TorchTensor result{parameter.name, {values.begin(), values.end()}};
    constexpr std::string_view suffix = "_transposed";
    if (!result.name.ends_with(suffix)) return result;
    result.name.resize(result.name.size() - suffix.size());
    const std::size_t rows = parameter.shape[0];
    const std::size_t columns = parameter.shape[1];
    for (std::size_t i = 0; i < values.size(); ++i) {
        result.values[i % columns * rows + i / columns] = values[i];
    }
    return result;
}

double distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
    return std::sqrt(sum);
}

double norm(std::span<const float> values) {
    const std::vector<float> zeros(values.size());
    return distance(values, zeros);
}

void check_gradients(const TrainingNetwork& network, const SafetensorsFile& golden) {
    for (const Parameter& parameter : network.parameters()) {
        CAPTURE(parameter.name);
        const TorchTensor found = as_torch(parameter, parameter.gradient);
        const auto expected = golden.find("gradient." + found.name)->as<float>();
        // Both sides round in FP32, in different orders, through 19 layers forward and backward.
        CHECK(distance(found.values, expected) <= 1e-4 * norm(expected));
    }
}

/// The error must be small compared with the values and with the change by training. Most of it comes from a
/// few weights with tiny gradients, which Adam moves as far as all others.
void check_trained(const TrainingNetwork& network, const SafetensorsFile& golden) {
    const auto before = SafetensorsFile::open(data("model.safetensors"));
    for (const Parameter& parameter : network.parameters()) {
        CAPTURE(parameter.name);
        const TorchTensor found = as_torch(parameter, parameter.values);
        const auto expected = golden.find("trained." + found.name)->as<float>();
        const double change = distance(expected, before.find(found.name)->as<float>());
        const double error = distance(found.values, expected);
        CHECK(error <= 1e-4 * norm(expected));
        CHECK(error <= 2e-2 * change);
    }
}

void check_case(const Case& wanted, const model::ModelFile& file, int threads) {
    const auto golden = SafetensorsFile::open(data(wanted.golden));
    TrainingNetwork network(file,
                            {.input_size = wanted.size, .batch = batch, .threads = threads, .dropout = 0});
    OptimizerOptions options = wanted.options;
    options.threads = threads;
    Optimizer optimizer(network.parameters(), options);
    const std::vector<std::uint64_t> keys(batch);
    for (std::size_t step = 0; step < steps; ++step) {
        const Batch inputs = batch_of(step, wanted.size, network.classes());
        network.zero_gradients();
        const BatchResult result = network.accumulate(
            inputs.images, {.labels = inputs.labels, .teacher_logits = {}}, keys, 1.0 / batch);
        if (step == 0) {
            const double loss = golden.find("loss")->as<float>()[0];
            CHECK(result.loss / batch == doctest::Approx(loss).epsilon(1e-5));
            check_gradients(network, golden);
        }
        optimizer.step(wanted.learning_rate);
    }
    check_trained(network, golden);
}

/// On every ISA; on the best one with both orders of dense weights.
void check_everywhere(const Case& wanted) {
    const auto isas = kernels::testing::isa_names_of_this_cpu();
    for (const auto order : {DenseOrder::output_major, DenseOrder::input_major}) {
        const testing::TemporaryFolder folder;
        import_model(data("model.safetensors"), folder / "model", {.dense_order = order});
        const auto file = model::ModelFile::open(folder / "model");
        for (const std::string& isa : isas) {
            if (order == DenseOrder::output_major && isa != isas.back()) continue;
            CAPTURE(isa);
            setenv("VGG19_ISA", isa.c_str(), 1);
            check_case(wanted, file, order == DenseOrder::input_major ? 3 : 1);
        }
    }
    unsetenv("VGG19_ISA");
}

}  // namespace

TEST_CASE("loss, gradients and ten steps of Adam are PyTorch's") {
    check_everywhere({.golden = "adam.golden.safetensors", .size = 32, .learning_rate = 1e-4});
}

TEST_CASE("loss, gradients and ten steps of SGD with momentum and weight decay are PyTorch's") {
    check_everywhere({.golden = "sgd.golden.safetensors",
                      .size = 65,
                      .options = {.kind = OptimizerKind::sgd, .weight_decay = 0.05},
                      .learning_rate = 1e-3});
}

}  // namespace vgg19::converter
