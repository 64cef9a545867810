// Compares the logits of narrow VGG-19s with PyTorch's. make.py wrote the data and describes it.

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "converter/prune/prune.h"
#include "converter/quantize/quantize.h"
#include "engine/model/map_size.h"
#include "engine/model/safetensors.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/distance.h"
#include "kernels/isa/isa.h"
#include "tests/golden/input_image.h"
#include "vgg19/session.h"

namespace vgg19 {

namespace {

using kernels::testing::cosine;
using kernels::testing::relative_l2;
using model::ModelFile;
using model::SafetensorsFile;
using testing::input_image;

/// Both sides sum in FP32, in different orders. A layer adds an error of about 1e-7, and Winograd's
/// transforms ten times that.
constexpr double fp32_tolerance = 1e-5;

std::filesystem::path data(const std::string& name) {
    return std::filesystem::path(VGG19_GOLDEN_FOLDER) / name;
}

// ---- expectations ----

struct Expectation {
    MapSize size;
    std::vector<float> input;
    std::vector<float> logits;
};

/// The tensors PREFIX + "logits.SIZE.SEED" of a golden file; SIZE as `--size` has it.
std::vector<Expectation> expectations(const std::string& file_name, const std::string& prefix = "") {
    const auto file = SafetensorsFile::open(data(file_name));
    const std::string start = prefix + "logits.";
    std::vector<Expectation> found;
    for (const auto& tensor : file.tensors()) {
        if (!tensor.name.starts_with(start)) continue;
        const std::string rest = tensor.name.substr(start.size());
        const std::size_t point = rest.find('.');
        const MapSize size = model::parse_map_size(rest.substr(0, point)).value();
        const auto seed = static_cast<std::uint32_t>(std::stoul(rest.substr(point + 1)));
        const auto logits = tensor.as<float>();
        found.push_back({size, input_image(size, seed), {logits.begin(), logits.end()}});
    }
    REQUIRE_FALSE(found.empty());
    return found;
}

// ---- running ----

std::vector<std::string> isas() {
    std::vector<std::string> names;
    for (const auto isa : kernels::all_isas()) {
        if (!kernels::isa_is_built(isa) || !kernels::cpu_supports(isa)) continue;
        names.emplace_back(kernels::isa_name(isa));
    }
    return names;
}

std::vector<float> run(const Model& model, const std::vector<float>& input, const SessionOptions& options) {
    Session session(model, options);
    std::vector<float> logits(options.batch * model.classes());
    session.run(input, logits);
    return logits;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Checks every expectation on every ISA of this CPU, with one and more threads.
void check_logits(const Model& model, const std::vector<Expectation>& all) {
    for (const auto& isa : isas()) {
        CAPTURE(isa);
        for (const auto& expected : all) {
            CAPTURE(to_string(expected.size));
            SessionOptions options{.threads = 1,
                                   .input_height = expected.size.height,
                                   .input_width = expected.size.width,
                                   .isa = isa};
            const auto logits = run(model, expected.input, options);
            CHECK(relative_l2(logits, expected.logits) <= fp32_tolerance);
            for (options.threads = 2; options.threads <= 3; ++options.threads) {
                CAPTURE(options.threads);
                CHECK(same_bits(run(model, expected.input, options), logits));
            }
        }
    }
}

/// An imported model from the data folder.
class ImportedModel {
  public:
    explicit ImportedModel(const std::string& name, model::DenseOrder order = model::DenseOrder::input_major)
        : ImportedModel(name, converter::ImportOptions{.dense_order = order}) {}
    ImportedModel(const std::string& name, const converter::ImportOptions& options) {
        converter::import_model(data(name), folder / "model", options);
    }

    testing::TemporaryFolder folder;
    std::filesystem::path path = folder / "model";
    Model open() const { return Model::open(path); }
    ModelFile file() const { return ModelFile::open(path); }
};

/// Checks that the plan removes the filters that PyTorch's ln_structured set to zero, and prunes.
Model pruned(const ImportedModel& imported, const std::string& golden) {
    const auto file = imported.file();
    const auto plan = converter::plan_pruning(file, {.ratio = 0.1});
    const auto expected = SafetensorsFile::open(data(golden));
    CHECK(plan.cuts.size() == 9);
    for (const auto& cut : plan.cuts) {
        CAPTURE(cut.index);
        const auto* removed = expected.find("removed." + std::to_string(cut.index));
        REQUIRE(removed != nullptr);
        const auto indices = removed->as<std::int64_t>();
        CHECK(cut.removed == std::vector<std::size_t>(indices.begin(), indices.end()));
    }
    converter::prune_model(file, plan, imported.folder / "pruned");
    return Model::open(imported.folder / "pruned");
}

Model quantized(const ImportedModel& imported) {
    converter::quantize_dense(imported.file(), imported.folder / "int8");
    return Model::open(imported.folder / "int8");
}

}  // namespace

TEST_CASE("a narrow VGG-19 gives PyTorch's logits") {
    check_logits(ImportedModel("baseline.model.safetensors").open(),
                 expectations("baseline.golden.safetensors"));
}

TEST_CASE("a narrow VGG-19 with output-major dense weights gives PyTorch's logits") {
    const auto order = model::DenseOrder::output_major;
    check_logits(ImportedModel("baseline.model.safetensors", order).open(),
                 expectations("baseline.golden.safetensors"));
    check_logits(ImportedModel("large.model.safetensors", order).open(),
                 expectations("large.golden.safetensors"));
}

TEST_CASE("a VGG-19 with batch normalisation, folded, gives PyTorch's logits") {
    check_logits(ImportedModel("batch_norm.model.pth").open(), expectations("batch_norm.golden.safetensors"));
}

TEST_CASE("heads of any size and number of layers, under other names, give PyTorch's logits") {
    for (const std::string name : {"cifar", "literature", "weight_norm", "dense_norm"}) {
        CAPTURE(name);
        for (const auto order : {model::DenseOrder::input_major, model::DenseOrder::output_major}) {
            check_logits(ImportedModel(name + ".model.pth", order).open(),
                         expectations(name + ".golden.safetensors"));
        }
    }
}

TEST_CASE("batch norm's epsilon comes from the options, and affects the logits") {
    const auto expected = expectations("epsilon.golden.safetensors");
    check_logits(ImportedModel("epsilon.model.pth", {.batch_norm_epsilon = 1e-2}).open(), expected);
    const Model other = ImportedModel("epsilon.model.pth").open();
    for (const auto& each : expected) {
        CHECK(relative_l2(
                  run(other, each.input, {.input_height = each.size.height, .input_width = each.size.width}),
                  each.logits) > 1e-3);
    }
}

TEST_CASE(
    "a pruned model gives the logits of PyTorch's masked network where the removed filters were silent") {
    const ImportedModel imported("pruned_masked.model.safetensors");
    const std::string golden = "pruned_masked.golden.safetensors";
    check_logits(pruned(imported, golden), expectations(golden));
}

TEST_CASE("a pruned model gives the logits of PyTorch's network with the filters removed and folded") {
    const ImportedModel imported("baseline.model.safetensors");
    const std::string golden = "pruned_folded.golden.safetensors";
    check_logits(pruned(imported, golden), expectations(golden));
}

TEST_CASE("INT8 dense layers give the logits of the quantization scheme") {
    // Output-major weights are used as in the file: the average pool is not folded into them, which would
    // round again.
    const ImportedModel imported("baseline.model.safetensors", model::DenseOrder::output_major);
    check_logits(quantized(imported), expectations("int8.golden.safetensors"));
}

TEST_CASE("INT8 dense layers stay close to PyTorch's FP32 logits, in either order") {
    for (const auto order : {model::DenseOrder::output_major, model::DenseOrder::input_major}) {
        const ImportedModel imported("baseline.model.safetensors", order);
        const auto model = quantized(imported);
        for (const auto& fp32 : expectations("int8.golden.safetensors", "fp32.")) {
            CAPTURE(to_string(fp32.size));
            CHECK(
                cosine(run(model, fp32.input,
                           {.threads = 1, .input_height = fp32.size.height, .input_width = fp32.size.width}),
                       fp32.logits) >= 0.999);
        }
    }
}

TEST_CASE("a narrow VGG-19 gives PyTorch's logits at 160, 224 and 225") {
    check_logits(ImportedModel("large.model.safetensors").open(), expectations("large.golden.safetensors"));
}

TEST_CASE("pictures of any height and width give PyTorch's logits, with either order of dense weights") {
    for (const auto order : {model::DenseOrder::input_major, model::DenseOrder::output_major}) {
        check_logits(ImportedModel("baseline.model.safetensors", order).open(),
                     expectations("rectangles.golden.safetensors"));
    }
}

TEST_CASE("a batch of two gives the same bits as two single runs") {
    const ImportedModel imported("baseline.model.safetensors");
    for (const auto& model : {imported.open(), quantized(imported)}) {
        CAPTURE(model.variant());
        for (const auto& isa : isas()) {
            CAPTURE(isa);
            for (const std::size_t size : {32U, 65U}) {
                auto both = input_image(size, 1);
                const auto second = input_image(size, 2);
                SessionOptions options{.threads = 2, .input_height = size, .input_width = size, .isa = isa};
                auto single = run(model, both, options);
                const auto single_second = run(model, second, options);
                single.insert(single.end(), single_second.begin(), single_second.end());
                both.insert(both.end(), second.begin(), second.end());
                options.batch = 2;
                CHECK(same_bits(run(model, both, options), single));
            }
        }
    }
}

}  // namespace vgg19
