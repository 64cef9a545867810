#include "converter/import/module_types.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/import.h"
#include "converter/import/testing/fixture_values.h"
#include "converter/import/testing/pickle_writer.h"
#include "converter/import/testing/refusal.h"
#include "converter/import/testing/zip_writer.h"
#include "engine/model/model_file.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

namespace {

using vgg19::ErrorKind;
using vgg19::converter::check_module_types;
using vgg19::converter::CheckpointFacts;
using vgg19::converter::import_model;
using vgg19::converter::ImportReport;
using vgg19::converter::VggTensors;
using vgg19::converter::testing::fixture_value;
using vgg19::converter::testing::PickleWriter;
using vgg19::converter::testing::refusal;
using vgg19::converter::testing::zip_file;
using vgg19::model::ModelFile;
using vgg19::model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

using Types = std::vector<CheckpointFacts::ModuleType>;
using Texts = std::vector<std::string>;

const std::filesystem::path testdata = VGG19_IMPORT_TESTDATA;

TEST_CASE("a pickled network with other modules is refused, even if its tensors are a VGG's") {
    const TemporaryFolder folder;
    const std::string message = error_of(ErrorKind::bad_input, [&] {
        import_model(testdata / "other_modules.pth", folder / "model.safetensors");
    });
    CHECK(message == Containing("other_modules.pth: expected modules of a VGG"));
    CHECK(message == Containing("\n  features.0: Conv2d with padding (0, 0)\n"));
    CHECK(message == Containing("\n  features.1: LeakyReLU\n"));
    CHECK(message == Containing("\n  features.2: AvgPool2d\n"));
    CHECK(message == Containing("\n  features.3: Conv2d with padding_mode reflect\n"));
    CHECK(message == Containing("\n  features.5: MaxPool2d with kernel_size 3\n"));
    CHECK(message == Containing("\n  expected five modules MaxPool2d, found 4\n"));
    CHECK(message == Containing("save its state_dict()"));
    CHECK(message.find("Sigmoid") == std::string::npos);
    CHECK(!std::filesystem::exists(folder / "model.safetensors"));
}

TEST_CASE("the stored product of weights and mask is recomputed; modules after the last layer are reported") {
    const TemporaryFolder folder;
    const ImportReport report = import_model(testdata / "pruned_module.pth", folder / "model.safetensors");
    CHECK(report.notes == Texts{"masks applied to 1 tensors",
                                "classifier.7 (Softmax), after the last layer, is left out: the outputs are "
                                "its inputs"});
    const ModelFile model = ModelFile::open(folder / "model.safetensors");
    const auto weight = model.tensor("features.0.weight").as<float>();
    for (std::size_t i = 0; i < weight.size(); ++i) {
        CAPTURE(i);
        CHECK(weight[i] == (i % 2 == 0 ? 0 : static_cast<float>(fixture_value("features.0.weight", i))));
    }
}

TEST_CASE("a ReLU behind the last layer is reported, as a module or in TorchScript's code") {
    const TemporaryFolder folder;
    const auto notes = [&](const char* file) {
        return import_model(testdata / file, folder / "model.safetensors").notes;
    };
    const auto left_out = [](const char* what) {
        return Texts{std::string(what) + ", after the last layer, is left out: the outputs are its inputs"};
    };
    CHECK(notes("relu_at_end.pth") == left_out("3 (ReLU)"));
    CHECK(notes("relu_at_end.pt") == left_out("3 (ReLU)"));
    CHECK(notes("relu_function.pt") == left_out("torch.relu (ReLU)"));
}

TEST_CASE("if tensors are missing, the unsupported ones are named") {
    PickleWriter writer;
    writer.raw("}").text("features.0.weight").tensor("0", 1, 0, {1}, {1}, "ComplexFloatStorage").raw("s");
    CHECK(refusal(zip_file({{"a/data.pkl", writer.finished()}, {"a/data/0", std::string(8, '\0')}})) ==
          Containing("\nnot read: features.0.weight: 1 tensor (complex64); save dense float32 tensors"));
}

VggTensors narrow_vgg() {
    return {.network = Network({2, 0, 2, 0, 2, 2, 0, 2, 2, 0, 2, 2, 0}, {3}),
            .title = {},
            .prefix = "net",
            .convolution_paths = {"net.features.0", "net.features.3"},
            .dense_paths = {"net.classifier.0"}};
}

TEST_CASE("a single max-pool may be reused, and other networks' modules do not matter") {
    Types types;
    for (const char* path : {"net.features.2", "net.features.5", "net.features.10"}) {
        types.push_back({.path = path, .object = 7, .type = "MaxPool2d", .unlike = {}});
    }
    types.push_back({.path = "teacher.act", .object = 8, .type = "GELU", .unlike = "GELU"});
    types.push_back({.path = "net.pool", .object = 9, .type = "AvgPool2d", .unlike = "AvgPool2d"});
    CHECK(check_module_types(narrow_vgg(), types, "file").notes.empty());

    types[0].rounds_up = true;
    CHECK(check_module_types(narrow_vgg(), types, "file").notes ==
          Texts{"pools that round sizes up: ours round down, which is the same for inputs that are multiples "
                "of 32"});

    types[1].object = 10;
    CHECK(error_of(ErrorKind::bad_input, [&] { check_module_types(narrow_vgg(), types, "file"); }) ==
          Containing("file: expected modules of a VGG"));
}

TEST_CASE("another activation is allowed only after the last layer") {
    const auto types = [](const std::string& path, const std::string& type) {
        return Types{{.path = path, .object = 1, .type = type, .unlike = type}};
    };
    CHECK(check_module_types(narrow_vgg(), types("net.classifier.1", "Tanh"), "file").notes ==
          Texts{"net.classifier.1 (Tanh), after the last layer, is left out: the outputs are its inputs"});
    CHECK(check_module_types(narrow_vgg(), types("net.probabilities", "Sigmoid"), "file").notes.size() == 1);
    const Types relu = {{.path = "net.classifier.1", .object = 1, .type = "ReLU", .unlike = {}}};
    CHECK(check_module_types(narrow_vgg(), relu, "file").notes ==
          Texts{"net.classifier.1 (ReLU), after the last layer, is left out: the outputs are its inputs"});
    // Used between other layers as often as behind them.
    Types named = {{.path = "net.relu", .object = 1, .type = "ReLU", .unlike = {}}};
    CHECK(check_module_types(narrow_vgg(), named, "file").notes.empty());
    const std::pair<const char*, const char*> among[] = {{"net.features.1", "Sigmoid"},
                                                         {"net.features.1", "GELU"},
                                                         {"net.activation", "Tanh"},
                                                         {"net", "ELU"}};
    for (const auto& module : among) {
        const char* path = module.first;
        const char* type = module.second;
        CAPTURE(path);
        const std::string message = error_of(
            ErrorKind::bad_input, [&] { check_module_types(narrow_vgg(), types(path, type), "file"); });
        CHECK(message == Containing("\n  " + std::string(path) + ": " + type + "\n"));
    }
}

TEST_CASE("modules tell whether pools average, and whether features end with one") {
    const auto network = [](const std::vector<std::size_t>& features, std::size_t convolutions) {
        VggTensors vgg{.network = Network(features, {}), .title = {}, .prefix = ""};
        for (std::size_t k = 0; k < convolutions; ++k) {
            vgg.convolution_paths.push_back("features." + std::to_string(3 * k));
        }
        return vgg;
    };
    const auto pools = [](const std::string& type, std::size_t count) {
        Types types = {{.path = "features", .object = 1, .type = "Sequential", .unlike = {}}};
        for (std::size_t k = 0; k < count; ++k) {
            types.push_back({.path = "features." + std::to_string(3 * k + 2),
                             .object = 2 + k,
                             .type = type,
                             .unlike = type == "AvgPool2d" ? type : ""});
        }
        return types;
    };
    for (const auto& features : {std::vector<std::size_t>{2, 0, 2, 0, 2}, {2, 0, 2, 0, 2, 0}}) {
        for (const char* type : {"MaxPool2d", "AvgPool2d"}) {
            CAPTURE(type);
            const auto before = check_module_types(network(features, 3), pools(type, 2), "file");
            CHECK(before.averages_pools == (std::string(type) == "AvgPool2d"));
            CHECK(before.ends_with_pool == false);
            CHECK(check_module_types(network(features, 3), pools(type, 3), "file").ends_with_pool == true);
            CHECK(error_of(ErrorKind::bad_input, [&] {
                      check_module_types(network(features, 3), pools(type, 1), "file");
                  }) == Containing("expected 2 or 3 modules " + std::string(type) + ", found 1"));
        }
        CHECK(check_module_types(network(features, 3), {}, "file").ends_with_pool == std::nullopt);
    }
    CHECK(check_module_types(network({2, 0}, 1), pools("MaxPool2d", 0), "file").ends_with_pool == false);
    CHECK(check_module_types(network({2}, 1), {}, "file").ends_with_pool == std::nullopt);

    Types mixed = pools("MaxPool2d", 2);
    mixed.push_back({.path = "features.4", .object = 9, .type = "AvgPool2d", .unlike = "AvgPool2d"});
    CHECK(error_of(ErrorKind::bad_input, [&] {
              check_module_types(network({2, 0, 2, 0, 2}, 3), mixed, "file");
          }) == Containing("\n  features.4: AvgPool2d\n"));
    // Features alone have no last dense layer, behind which others would be left out.
    Types other = pools("MaxPool2d", 2);
    other.push_back({.path = "features.1", .object = 9, .type = "GELU", .unlike = "GELU"});
    CHECK(error_of(ErrorKind::bad_input, [&] {
              check_module_types(network({2, 0, 2, 0, 2}, 3), other, "file");
          }) == Containing("\n  features.1: GELU\n"));
}

}  // namespace
