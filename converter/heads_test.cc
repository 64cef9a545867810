// Models with heads that differ from torchvision's, through every operation on models.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "converter/factorize/factorize.h"
#include "converter/import/import.h"
#include "converter/import/reorder.h"
#include "converter/prune/prune.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/refit/refit.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/isas.h"
#include "vgg19/session.h"

namespace vgg19::converter {

namespace {

using kernels::testing::isa_names_of_this_cpu;
using kernels::testing::relative_l2;
using model::DenseOrder;
using model::ModelFile;
using model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// One or more dense layers, on maps of one or more pixels.
std::vector<Network> networks() {
    constexpr const char* features = "6 9 M 17 M 16 M 20 M 18 24 M";
    return {Network::parse(features, "7", 1), Network::parse(features, "40 7", 2),
            Network::parse(features, "30 7", 3), Network::parse(features, "21 40 20 33 7", 4)};
}

/// A model with class names, a low-rank dense layer, and a last convolution with a filter that is always
/// zero.
class HeadModel {
  public:
    HeadModel(const Network& network, DenseOrder order)
        : tensors_(vgg19::testing::random_tensors(network, random_)) {
        make_low_rank(network);
        silence_filter(network);
        if (order == DenseOrder::input_major) vgg19::testing::make_input_major(network, tensors_);
        model::write_model(folder_ / "model",
                           {.network = network,
                            .preprocessing = {.input_size = network.natural_input_size()},
                            .variant = "baseline",
                            .source_sha256 = std::string(64, '0'),
                            .lineage = {"random"},
                            .class_names = {"ant", "bee", "cat", "dog", "eel", "fox", "gnu"}},
                           tensors_.tensors);
    }

    static constexpr std::size_t rank = 3;
    static constexpr std::size_t silent = 5;

    std::filesystem::path path(const std::string& name) const { return folder_ / name; }
    ModelFile open(const std::string& name) const {
        ModelFile file = ModelFile::open(path(name));
        CHECK(file.description().class_names.size() == 7);
        CHECK(file.description().class_names[2] == "cat");
        return file;
    }
    std::vector<float> logits(const std::string& name, std::size_t size,
                              const SessionOptions& given = {}) const {
        SessionOptions options = given;
        options.set_input_size(size);
        options.threads = 1;
        const Model model = Model::open(path(name));
        Session session(model, options);
        std::vector<float> input(options.batch * 3 * size * size);
        kernels::testing::Random random;
        random.fill(input, -2, 2);
        std::vector<float> result(options.batch * model.classes());
        session.run(input, result);
        return result;
    }
    kernels::testing::Random& random() { return random_; }

  private:
    std::vector<float>& values(const std::string& name) {
        const auto found = std::find_if(tensors_.tensors.begin(), tensors_.tensors.end(),
                                        [&](const model::Tensor& tensor) { return tensor.name == name; });
        return tensors_.values[static_cast<std::size_t>(found - tensors_.tensors.begin())];
    }
    void make_low_rank(const Network& network) {
        const model::DenseLayer& layer = network.dense_layers().front();
        std::vector<float> left(layer.outputs * rank);
        std::vector<float> right(rank * layer.inputs);
        random_.fill(left, -1, 1);
        random_.fill(right, -1, 1);
        std::vector<float>& weight = values(layer.name + ".weight");
        const auto scale = 1 / std::sqrt(static_cast<float>(layer.inputs));
        for (std::size_t o = 0; o < layer.outputs; ++o) {
            for (std::size_t i = 0; i < layer.inputs; ++i) {
                float sum = 0;
                for (std::size_t r = 0; r < rank; ++r)
                    sum += left[o * rank + r] * right[r * layer.inputs + i];
                weight[o * layer.inputs + i] = sum * scale;
            }
        }
    }
    void silence_filter(const Network& network) {
        const model::ConvolutionLayer& last = network.convolutions().back();
        std::vector<float>& weight = values(last.name + ".weight");
        const std::size_t filter = last.input_channels * 9;
        std::fill_n(weight.begin() + static_cast<std::ptrdiff_t>(silent * filter), filter, 0.0F);
        values(last.name + ".bias")[silent] = -1;
    }

    kernels::testing::Random random_;
    vgg19::testing::TemporaryFolder folder_;
    vgg19::testing::RandomTensors tensors_;
};

/// Input sizes below the natural one, equal to it, and above; with and without averaging of the map.
std::vector<std::size_t> sizes_of(const Network& network) {
    return {32, 45, network.natural_input_size(), network.natural_input_size() + 37};
}

void for_each_model(const std::function<void(HeadModel&, const Network&)>& check) {
    INFO(kernels::testing::Random::replay());
    for (const Network& network : networks()) {
        for (const DenseOrder order : {DenseOrder::input_major, DenseOrder::output_major}) {
            CAPTURE(network.classifier_text());
            CAPTURE(network.pooled_side());
            CAPTURE(static_cast<int>(order));
            HeadModel model(network, order);
            check(model, network);
        }
    }
}

}  // namespace

TEST_CASE("other heads give the same results in both orders, on every ISA, in any batch") {
    for (const Network& network : networks()) {
        CAPTURE(network.classifier_text());
        const HeadModel model(network, DenseOrder::input_major);
        reorder_dense(model.open("model"), model.path("plain"), DenseOrder::output_major);
        CHECK(model.open("plain").network() == network);
        for (const std::size_t size : sizes_of(network)) {
            CAPTURE(size);
            const std::vector<float> expected = model.logits("model", size);
            CHECK(relative_l2(model.logits("plain", size), expected) < 1e-5);
            for (const std::string& isa : isa_names_of_this_cpu()) {
                CAPTURE(isa);
                // Each is within 1e-5 of the exact result; ISAs may run different tiles.
                CHECK(relative_l2(model.logits("model", size, {.isa = isa}), expected) < 2e-5);
            }
            const std::vector<float> batch = model.logits("model", size, {.batch = 3});
            CHECK(std::equal(expected.begin(), expected.end(), batch.begin()));
        }
    }
}

TEST_CASE("a silent filter can be removed before any head, without changing results") {
    for_each_model([](HeadModel& model, const Network& network) {
        const std::size_t last = network.convolutions().back().features_index;
        const PrunePlan plan = {{{last, 24, {HeadModel::silent}}}, "prune by hand"};
        prune_model(model.open("model"), plan, model.path("pruned"));
        const testing::Pictures pictures(model.path("pictures.bin"), model.random(), 24);
        const Refit found = refit(model.open("model"), plan, pictures.images(24));
        prune_model(model.open("model").with(found.tensors.tensors()), plan, model.path("refitted"));
        for (const char* name : {"pruned", "refitted"}) {
            const std::size_t side = network.pooled_side();
            CHECK(model.open(name).network().dense_layers()[0].inputs == 23 * side * side);
            for (const std::size_t size : sizes_of(network)) {
                CHECK(relative_l2(model.logits(name, size), model.logits("model", size)) < 1e-4);
            }
        }
    });
}

TEST_CASE("a dense layer of low rank factors exactly in any head") {
    for_each_model([](HeadModel& model, const Network& network) {
        factorize_model(model.open("model"), {.layers = {"classifier.0"}, .ranks = {HeadModel::rank}},
                        model.path("factored"));
        CHECK(model.open("factored").network().pooled_side() == network.pooled_side());
        CHECK(model.open("factored").network().ranks()[0] == HeadModel::rank);
        for (const std::size_t size : sizes_of(network)) {
            CHECK(relative_l2(model.logits("factored", size), model.logits("model", size)) < 1e-4);
        }
    });
}

TEST_CASE("with a single dense layer, which is not factored by default, the error says which to name") {
    const HeadModel model(networks()[0], DenseOrder::input_major);
    CHECK(error_of(ErrorKind::usage,
                   [&] { factorize_model(model.open("model"), {.ranks = {2}}, model.path("factored")); }) ==
          Containing("expected one before the last that is not factored yet, found none; name the last, "
                     "classifier.0"));
}

TEST_CASE("every quantization stays close to FP32 with any head") {
    for_each_model([](HeadModel& model, const Network& network) {
        const ModelFile baseline = model.open("model");
        const testing::Pictures pictures(model.path("pictures.bin"), model.random());
        const auto statistics = calibrate(baseline, pictures.images(8));
        quantize_dense(baseline, model.path("int8"));
        quantize_dense(baseline, model.path("int4"), DenseType::int4);
        write_full(baseline, quantize_all(baseline, statistics, {}), "all", model.path("full"));
        write_full(baseline, quantize_all(baseline, statistics, {.dense = DenseType::int4}), "all",
                   model.path("full4"));
        const struct {
            const char* name;
            double tolerance;
        } cases[] = {{"int8", 0.03}, {"int4", 0.25}, {"full", 0.1}, {"full4", 0.25}};
        for (const auto& variant : cases) {
            const char* name = variant.name;
            const double tolerance = variant.tolerance;
            CAPTURE(name);
            CHECK(model.open(name).network() == network);
            for (const std::size_t size : sizes_of(network)) {
                CAPTURE(size);
                const std::vector<float> found = model.logits(name, size);
                CHECK(relative_l2(found, model.logits("model", size)) < tolerance);
                const std::vector<float> batch = model.logits(name, size, {.batch = 2});
                CHECK(std::equal(found.begin(), found.end(), batch.begin()));
            }
        }
    });
}

}  // namespace vgg19::converter
