// What is written for PyTorch, and read back. tests/formats has PyTorch itself read it.
#include "converter/export/torch_file.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "converter/export/plain_weights.h"
#include "converter/factorize/factorize.h"
#include "converter/import/exported.h"
#include "converter/import/import.h"
#include "converter/import/state_dict.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/testing/pictures.h"
#include "converter/testing/random_model.h"
#include "engine/model/description.h"
#include "engine/testing/error_of.h"
#include "kernels/common/testing/distance.h"
#include "vgg19/session.h"

namespace vgg19::converter {
namespace {

using kernels::testing::Random;
using kernels::testing::relative_l2;
using model::DenseOrder;
using model::ModelFile;
using model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// A VGG-11 with filters pruned to different widths.
Network network() {
    return Network::parse("6 M 9 M 17 16 M 20 18 M 24 20 M", "30 21 7", 2);
}

struct Fixture {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{network(), random};

    /// Exports a model and converts the result.
    ModelFile returned(const ModelFile& model, const ImportOptions& options = {}) const {
        export_torch(model, folder / "exported.pth");
        notes = import_model(folder / "exported.pth", folder / "returned", options).notes;
        return ModelFile::open(folder / "returned");
    }
    mutable std::vector<std::string> notes;
};

std::vector<float> values_of(const model::TensorStream& stream) {
    std::vector<float> values;
    stream.write([&](std::span<const std::byte> bytes) {
        const auto* const begin = reinterpret_cast<const float*>(bytes.data());
        values.insert(values.end(), begin, begin + bytes.size() / sizeof(float));
    });
    return values;
}

/// The value of an exported tensor that PyTorch would have under this name.
std::vector<float> plain(const ModelFile& model, const std::string& name) {
    for (const model::TensorStream& stream : plain_weights(model)) {
        if (stream.name == name) return values_of(stream);
    }
    FAIL("no tensor " << name);
    return {};
}

std::vector<float> run(const std::filesystem::path& path, const std::string& output,
                       const std::vector<float>& input) {
    Session session(Model::open(path),
                    {.threads = 2, .input_height = 64, .input_width = 64, .outputs = {output}});
    std::vector<float> values(session.outputs().front().size());
    session.run(input, values);
    return values;
}

TEST_CASE("a model comes back from PyTorch's format as it was, in either order of its dense weights") {
    Fixture fixture;
    INFO(fixture.random.replay());
    for (const bool input_major : {false, true}) {
        const ModelFile model = input_major ? fixture.weights.write_input_major(fixture.folder / "model")
                                            : fixture.weights.write(fixture.folder / "model");
        for (const DenseOrder order : {DenseOrder::input_major, DenseOrder::output_major}) {
            const ModelFile back = fixture.returned(model, {.dense_order = order});
            CHECK(back.network() == model.network());
            for (const model::TensorShape& tensor : network().tensors()) {
                CAPTURE(tensor.name);
                CHECK(plain(back, tensor.name) == fixture.weights.values(tensor.name));
            }
        }
    }
}

TEST_CASE("the description comes back") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const ModelFile plain_model = fixture.weights.write(fixture.folder / "plain");
    model::Description description = plain_model.description();
    description.preprocessing = {.input_size = MapSize(64, 96),
                                 .resize_ratio = 1.5,
                                 .mean = {103.939F, 116.779F, 123.68F},
                                 .deviation = {1, 2, 3},
                                 .channel_order = ChannelOrder::bgr,
                                 .range = 255};
    description.pooling = Pooling::average;
    description.variant = "pruned";
    description.class_names = {"ant", "\"bee\"", "cat", "dog", "eel", "fox", "gnu ü"};
    model::write_model(fixture.folder / "model", description, plain_model.tensors());
    const ModelFile back = fixture.returned(ModelFile::open(fixture.folder / "model"));
    CHECK(back.description().preprocessing == description.preprocessing);
    CHECK(back.description().pooling == Pooling::average);
    CHECK(back.description().variant == "pruned");
    CHECK(back.description().class_names == description.class_names);
    CHECK(back.description().lineage ==
          std::vector<std::string>{"random", "export --torch", "convert exported.pth"});

    SUBCASE("options override it") {
        const ModelFile other = fixture.returned(ModelFile::open(fixture.folder / "model"),
                                                 {.input_size = 32, .pooling = Pooling::max});
        CHECK(other.description().preprocessing.input_size == MapSize(32));
        CHECK(other.description().preprocessing.range == 255);
        CHECK(other.description().pooling == Pooling::max);
    }
    SUBCASE("without the classifier there are no class names") {
        const ModelFile features =
            fixture.returned(ModelFile::open(fixture.folder / "model"), {.features_only = true});
        CHECK(features.description().class_names.empty());
        CHECK(features.description().preprocessing == description.preprocessing);
        CHECK(features.network() == Network(network().features(), {}));
    }
}

TEST_CASE("features alone come back, whether they end with a pool or not") {
    Fixture fixture;
    for (const char* text : {"6 M 9 M 17", "6 M 9 M 17 16 M", "6 M 9 M 17 16 M 20 18 M 24 20",
                             "6 M 9 M 17 16 M 20 18 M 24 20 M"}) {
        CAPTURE(text);
        const Network features = Network::parse(text, "");
        const testing::RandomModel weights(features, fixture.random);
        const ModelFile back = fixture.returned(weights.write(fixture.folder / "features"));
        CHECK(back.network() == features);
    }
}

TEST_CASE("a factored layer is a Sequential of two Linear, and comes back factored") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const ModelFile whole = fixture.weights.write_input_major(fixture.folder / "whole");
    factorize_model(whole, {.layers = {"classifier.0", "classifier.6"}, .ranks = {11, 3}},
                    fixture.folder / "factored");
    const ModelFile model = ModelFile::open(fixture.folder / "factored");
    std::vector<std::string> names;
    export_torch(model, fixture.folder / "exported.pth");
    const StateDict exported = StateDict::open(fixture.folder / "exported.pth");
    for (const StoredTensor& tensor : exported.tensors()) {
        if (!tensor.name.starts_with("classifier")) continue;
        names.push_back(tensor.name + " " + shape_text(tensor.shape));
    }
    CHECK(names == std::vector<std::string>{"classifier.0.0.weight (11, 80)", "classifier.0.0.bias (11)",
                                            "classifier.0.1.weight (30, 11)", "classifier.0.1.bias (30)",
                                            "classifier.3.weight (21, 30)", "classifier.3.bias (21)",
                                            "classifier.6.0.weight (3, 21)", "classifier.6.0.bias (3)",
                                            "classifier.6.1.weight (7, 3)", "classifier.6.1.bias (7)"});
    const ModelFile back = fixture.returned(model);
    CHECK(back.network().classifier_text() == "11:30 21 3:7");
    std::vector<float> input(std::size_t{3} * 64 * 64);
    fixture.random.fill(input, -2, 2);
    CHECK(run(fixture.folder / "returned", "logits", input) ==
          run(fixture.folder / "factored", "logits", input));
}

TEST_CASE("quantised dense weights are multiplied by their scales") {
    Fixture fixture;
    INFO(fixture.random.replay());
    for (const bool input_major : {false, true}) {
        const ModelFile whole = input_major ? fixture.weights.write_input_major(fixture.folder / "whole")
                                            : fixture.weights.write(fixture.folder / "whole");
        quantize_dense(whole, fixture.folder / "int8");
        quantize_dense(whole, fixture.folder / "int4", DenseType::int4);
        for (const char* name : {"classifier.0.weight", "classifier.3.weight", "classifier.6.weight"}) {
            CAPTURE(name);
            const std::vector<float>& expected = fixture.weights.values(name);
            const std::vector<float> int8 = plain(ModelFile::open(fixture.folder / "int8"), name);
            const std::vector<float> int4 = plain(ModelFile::open(fixture.folder / "int4"), name);
            CHECK(relative_l2(int8, expected) <= 0.01);
            CHECK(relative_l2(int4, expected) <= 0.15);
            CHECK(relative_l2(int4, expected) >= 0.01);
        }
    }
    const ModelFile back = fixture.returned(ModelFile::open(fixture.folder / "int8"));
    CHECK(back.description().variant == "int8-dequantized");
    CHECK_FALSE(any_layer_is_quantized(back));
    std::vector<float> input(std::size_t{3} * 64 * 64);
    fixture.random.fill(input, -2, 2);
    CHECK(relative_l2(run(fixture.folder / "returned", "logits", input),
                      run(fixture.folder / "int8", "logits", input)) <= 0.02);
}

TEST_CASE("every map of a model in INT8 throughout is the trained network's, though channels were scaled") {
    Fixture fixture;
    INFO(fixture.random.replay());
    const ModelFile whole = fixture.weights.write_input_major(fixture.folder / "whole");
    const testing::Pictures pictures(fixture.folder / "pictures.bin", fixture.random);
    const CalibrationImages images = pictures.images(4);
    const EqualizedModel equalized(whole, measure_channels(whole, images));
    write_full(equalized.file(), quantize_all(equalized.file(), calibrate(equalized.file(), images), {}),
               "quantize --scope all", fixture.folder / "full");
    const ModelFile full = ModelFile::open(fixture.folder / "full");
    REQUIRE_FALSE(full.output_factors("features.0").empty());
    for (const char* name : {"features.0.weight", "features.3.weight", "features.16.weight"}) {
        CAPTURE(name);
        CHECK(relative_l2(plain(full, name), fixture.weights.values(name)) <= 0.01);
    }
    fixture.returned(full);
    std::vector<float> input(std::size_t{3} * 64 * 64);
    fixture.random.fill(input, -2, 2);
    for (const char* name : {"relu1_1", "relu3_1", "pool5"}) {
        CAPTURE(name);
        CHECK(relative_l2(run(fixture.folder / "returned", name, input),
                          run(fixture.folder / "whole", name, input)) <= 0.05);
    }
}

TEST_CASE("a description that does not belong to the weights is not used, and a note says so") {
    Fixture fixture;
    const ModelFile model = fixture.weights.write(fixture.folder / "model");
    CheckpointFacts facts{};
    facts.exported = {{"format", "vgg19"}};
    std::vector<std::string> notes;
    CHECK_FALSE(exported_description(facts, model.network(), false, notes));
    CHECK(notes.back() ==
          Containing("is not used: metadata \"format_version\": expected a value, found none"));
    facts.exported = model::metadata_from_description(model.description());
    CHECK(exported_description(facts, model.network(), false, notes));
    CHECK_FALSE(exported_description(facts, Network::vgg(11), false, notes));
    CHECK(notes.back() == Containing("is not used: its network is not the one that the tensors form"));
    CHECK_FALSE(exported_description(facts, Network(network().features(), {}), false, notes));
    CHECK(exported_description(facts, Network(network().features(), {}), true, notes));
}

TEST_CASE("the description's file is a JSON object of texts") {
    CHECK(read_exported(R"({"a": "b", "c": ""})", "file") == model::Metadata{{"a", "b"}, {"c", ""}});
    const auto refusal = [](const char* json) {
        return error_of(ErrorKind::bad_input, [&] { read_exported(json, "file"); });
    };
    CHECK(refusal("[]") == "file: expected an object");
    CHECK(refusal(R"({"a": 1})") == "file: expected texts alone");
    CHECK(refusal(R"({"a": "b"} 1)") == Containing("file: byte 11"));
}

TEST_CASE("an export never overwrites its model, and leaves nothing when it fails") {
    Fixture fixture;
    const ModelFile model = fixture.weights.write(fixture.folder / "model");
    CHECK(error_of(ErrorKind::usage, [&] { export_torch(model, fixture.folder / "model"); }) ==
          Containing("expected another file to write, found the input"));
    CHECK(error_of(ErrorKind::failed, [&] { export_torch(model, fixture.folder / "none" / "x.pth"); }) ==
          Containing("x.pth: cannot be written"));
    std::uint64_t last = 0;
    std::uint64_t all = 0;
    export_torch(model, fixture.folder / "x.pth", [&](std::uint64_t done, std::uint64_t total) {
        CHECK(done >= last);
        last = done;
        all = total;
    });
    CHECK(last == all);
    CHECK(all == network().parameters() * sizeof(float));
}

}  // namespace
}  // namespace vgg19::converter
