// convert → inspect → prune → quantize: each step works on the output of the previous one.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/model/json.h"
#include "engine/model/model_file.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

Json inspected(const std::filesystem::path& path, const Arguments& more = {}) {
    Arguments arguments = {"inspect", path, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tool(arguments);
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.output, "the output of inspect");
}

const Json& layer(const Json& json, const std::string& name) {
    for (const Json& entry : json.find("layers")->array()) {
        if (entry.find("name")->string() == name) return entry;
    }
    FAIL("no layer " << name);
    return json;
}

void check_succeeds(const Arguments& arguments) {
    const Outcome outcome = run_tool(arguments);
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(outcome.errors.empty());
}

}  // namespace

TEST_CASE("convert writes a model with the state dict's tensors") {
    const TemporaryFolder folder;
    write_state_dict(folder / "weights");
    const Outcome outcome =
        run_tool({"convert", folder / "weights", "--output", folder / "model", "--dense-order", "output"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "baseline"));

    const auto weights = model::SafetensorsFile::open(folder / "weights");
    const auto model = model::ModelFile::open(folder / "model");
    for (const model::Tensor& tensor : weights.tensors()) {
        CHECK(std::ranges::equal(tensor.bytes, model.tensor(tensor.name).bytes));
    }
    CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("convert changes a model's dense weights from one order to the other") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    check_succeeds({"convert", folder / "model", "-o", folder / "plain", "--dense-order", "output"});
    check_succeeds({"convert", folder / "plain", "-o", folder / "again", "--dense-order", "input"});
    const Json input_major = inspected(folder / "model", {"--verify"});
    const Json output_major = inspected(folder / "plain", {"--verify"});
    const Json& first = layer(input_major, "classifier.0");
    const Json& plain = layer(output_major, "classifier.0");
    CHECK(first.find("weight_tensor")->string() == "classifier.0.weight_transposed");
    CHECK(plain.find("weight_tensor")->string() == "classifier.0.weight");
    CHECK(first.find("weight_shape")->array()[0].size() == plain.find("weight_shape")->array()[1].size());
    CHECK(first.find("parameters")->size() == plain.find("parameters")->size());
    CHECK(input_major.find("active_parameters")->size() == output_major.find("active_parameters")->size());
    CHECK(contains(run_tool({"inspect", folder / "model"}).output, "input-major weights"));
    CHECK(contains(run_tool({"inspect", folder / "plain"}).output, "output-major weights"));

    const auto model = model::ModelFile::open(folder / "model");
    const auto again = model::ModelFile::open(folder / "again");
    for (const model::Tensor& tensor : model.file().tensors()) {
        CHECK(std::ranges::equal(tensor.bytes, again.tensor(tensor.name).bytes));
    }
    const Outcome wrong =
        run_tool({"convert", folder / "model", "-o", folder / "x", "--dense-order", "sideways"});
    CHECK(wrong.code == 2);
    CHECK(contains(wrong.errors, "--dense-order: expected input or output, found 'sideways'"));
}

TEST_CASE("inspect shows the facts of the network's table") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const model::Network network = narrow_network();

    const Json json = inspected(folder / "model", {"--size", "160", "--verify"});
    CHECK(json.find("variant")->string() == "baseline");
    CHECK(json.find("classes")->size() == 10);
    CHECK(json.find("bytes")->size() == std::filesystem::file_size(folder / "model"));
    CHECK(json.find("active_parameters")->size() == network.parameters());
    CHECK(json.find("macs")->size() == network.macs(160));
    CHECK(json.find("checksums")->string() == "verified");
    CHECK(json.find("network")->find("features")->string() == network.features_text());
    CHECK(json.find("preprocessing")->find("mean")->array()[0].number() == 0.485);
    CHECK(json.find("layers")->array().size() == 19);

    const Json& first = layer(json, "features.0");
    CHECK(first.find("weight_shape")->array()[1].size() == 3);
    CHECK(first.find("output_shape")->array()[1].size() == 160);
    CHECK(first.find("parameters")->size() == 4 * 27 + 4);
    CHECK(first.find("macs")->size() == 160 * 160 * 4 * 27);
    CHECK(first.find("dtype")->string() == "F32");
    CHECK(first.find("bytes")->size() == (4 * 27 + 4) * 4);

    const Outcome text = run_tool({"inspect", folder / "model"});
    CHECK(text.code == 0);
    CHECK(contains(text.output, "17×17×3×3"));
    CHECK(contains(text.output, "in all"));
}

TEST_CASE("inspect --verify finds a flipped bit and names the tensor") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    std::string bytes = read_file(folder / "model");
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_file(folder / "model", bytes);

    CHECK(run_tool({"inspect", folder / "model"}).code == 0);
    const Outcome outcome = run_tool({"inspect", folder / "model", "--verify"});
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, "classifier.6"));
    CHECK(outcome.output.empty());
}

TEST_CASE("prune --dry-run prints the plan and writes nothing") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const Outcome outcome = run_tool({"prune", folder / "model", "--ratio", "0.25", "--layers", "34,16",
                                      "--dry-run", "-o", folder / "pruned"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.output, "features.16"));
    CHECK(contains(outcome.output, "features.34"));
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("prune removes filters, and a written plan replays to the same model") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    check_succeeds({"prune", folder / "model", "-o", folder / "pruned", "--ratio", "0.25", "--layers",
                    "16,34", "--write-plan", folder / "plan"});
    const Json json = inspected(folder / "pruned", {"--verify"});
    CHECK(json.find("variant")->string() == "pruned");
    CHECK(layer(json, "features.16").find("weight_shape")->array()[0].size() == 6);   // of 8
    CHECK(layer(json, "features.19").find("weight_shape")->array()[0].size() == 17);  // untouched
    CHECK(layer(json, "features.34").find("weight_shape")->array()[0].size() == 9);   // of 12
    CHECK(layer(json, "classifier.0").find("weight_shape")->array()[0].size() == std::size_t{9} * 49);
    CHECK(json.find("lineage")->array().size() == 2);

    check_succeeds({"prune", folder / "model", "-o", folder / "replayed", "--plan", folder / "plan"});
    CHECK(read_file(folder / "replayed") == read_file(folder / "pruned"));

    const Outcome both = run_tool(
        {"prune", folder / "model", "-o", folder / "x", "--plan", folder / "plan", "--ratio", "0.2"});
    CHECK(both.code == 2);
    CHECK(contains(both.errors, "--ratio"));
}

TEST_CASE("prune refuses another model's plan, and files that are not plans") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const std::size_t before = files_in(folder.path());
    for (const char* plan : {"", "{", "[]", R"({"format": "something else"})",
                             R"({"format": "vgg19-prune-plan", "format_version": 1, "origin": "prune",
                                 "cuts": [{"layer": "features.16", "channels": 8, "removed": [8]}]})",
                             R"({"format": "vgg19-prune-plan", "format_version": 1, "origin": "prune",
                                 "cuts": [{"layer": "features.16", "channels": 256, "removed": [1]}]})"}) {
        INFO(plan);
        write_file(folder / "plan", plan);
        const Outcome outcome =
            run_tool({"prune", folder / "model", "-o", folder / "pruned", "--plan", folder / "plan"});
        INFO(outcome.errors);
        CHECK(outcome.code == 5);
        CHECK_FALSE(outcome.errors.empty());
        CHECK(files_in(folder.path()) == before + 1);
    }
}

TEST_CASE("quantize makes the dense layers INT8 and says so in the variant") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    check_succeeds({"prune", folder / "model", "-o", folder / "pruned", "--ratio", "0.2"});
    check_succeeds({"quantize", folder / "model", "-o", folder / "int8"});
    check_succeeds({"quantize", folder / "pruned", "-o", folder / "pruned-int8", "--scope", "dense"});

    const Json json = inspected(folder / "int8", {"--verify"});
    CHECK(json.find("variant")->string() == "int8");
    CHECK(layer(json, "features.34").find("dtype")->string() == "F32");
    CHECK(layer(json, "classifier.0").find("dtype")->string() == "I8");
    CHECK(json.find("active_parameters")->size() == narrow_network().parameters());
    CHECK(std::filesystem::file_size(folder / "int8") < std::filesystem::file_size(folder / "model"));
    CHECK(inspected(folder / "pruned-int8").find("variant")->string() == "pruned-int8");

    const Outcome again = run_tool({"quantize", folder / "int8", "-o", folder / "again"});
    CHECK(again.code == 5);
    CHECK_FALSE(std::filesystem::exists(folder / "again"));
}
