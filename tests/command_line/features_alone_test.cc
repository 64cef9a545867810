// A model without a classifier: what can be done with it, and that everything else says why not.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/model/json.h"
#include "engine/model/safetensors.h"
#include "kernels/common/testing/random.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

constexpr const char* features = "4 M 5 M 6 6 M 7 7 M 8 8 M";

/// Converted from convolutions without dense layers.
struct Workplace {
    TemporaryFolder folder;
    std::string model = folder / "model";
    Outcome converted;

    Workplace() {
        kernels::testing::Random random;
        const RandomTensors made = random_tensors(model::Network::parse(features, ""), random);
        model::write_safetensors(folder / "weights.safetensors", {}, made.tensors);
        converted = run_tool({"convert", folder / "weights.safetensors", "-o", model});
        write_image(folder / "photo.bmp", 40, 40);
        write_file(folder / "names.txt", "cat\ndog\n");
        write_file(folder / "data.bin", cifar_records(20));
        const std::vector<float> image(3 * 32 * 32);
        write_tensor(folder / "input", "input", {1, 3, 32, 32}, image);
    }
};

}  // namespace

TEST_CASE("convolutions without dense layers become a model that inspect describes") {
    const Workplace place;
    INFO(place.converted.errors);
    REQUIRE(place.converted.code == 0);
    CHECK(contains(place.converted.errors, "a model of features alone, which has no classes"));
    const Json json = Json::parse(run_tool({"inspect", place.model, "--json"}).output, "inspect");
    CHECK(json.find("network")->find("features")->string() == features);
    CHECK(json.find("network")->find("classifier")->string().empty());
    CHECK(json.find("classes")->size() == 0);
    CHECK(json.find("layers")->array().size() == 8);
    CHECK(run_tool({"inspect", place.model}).code == 0);
    CHECK(run_tool({"inspect", place.model, "--verify"}).code == 0);
    const Outcome plan = run_tool({"inspect", place.model, "--plan"});
    INFO(plan.errors);
    CHECK(plan.code == 0);
    CHECK(contains(plan.output, "output pool5"));
}

TEST_CASE("whatever needs classes says that the model has only features, and writes nothing") {
    const Workplace place;
    const std::string out = place.folder / "out";
    const std::string data = place.folder / "data.bin";
    const std::string features_out = place.folder / "out.safetensors";
    const std::vector<Arguments> commands = {
        {"classify", "-m", place.model, place.folder / "photo.bmp"},
        {"run", "-m", place.model, "--input", place.folder / "input", "--output", out, "--outputs", "logits"},
        {"features", "-m", place.model, place.folder / "photo.bmp", "--layers", "fc7", "-o", features_out},
        {"eval", "-m", place.model, "--data", data},
        {"prune", place.model, "-o", out},
        {"quantize", place.model, "-o", out},
        {"quantize", place.model, "-o", out, "--scope", "all", "--calib", data},
        {"factorize", place.model, "-o", out, "--rank", "2"},
        {"export", place.model, "--onnx", out, "--outputs", "logits"},
        {"finetune", place.model, "-o", out, "--data", data},
        {"finetune", place.model, "-o", out, "--data", data, "--classes", "10"},
        {"bench", "--worker", place.model},
    };
    for (const Arguments& command : commands) {
        const Outcome outcome = run_tool(command);
        INFO(command.front() << ": " << outcome.errors);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.errors, "only `features` (features.0 to features.18)"));
        CHECK_FALSE(std::filesystem::exists(out));
        CHECK_FALSE(std::filesystem::exists(features_out));
    }
    const Outcome named = run_tool({"convert", place.folder / "weights.safetensors", "-o", out, "--classes",
                                    place.folder / "names.txt"});
    CHECK(named.code == 2);
    CHECK(contains(named.errors, "expected no class names for a model of features alone"));
    CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("such a model runs for its features: its last map by default, and in every command for pictures") {
    const Workplace place;
    const Outcome ran = run_tool(
        {"run", "-m", place.model, "--input", place.folder / "input", "--output", place.folder / "out"});
    INFO(ran.errors);
    CHECK(ran.code == 0);
    CHECK(contains(ran.output, "pool5 (1, 8, 1, 1)"));
    const std::string photo = place.folder / "photo.bmp";
    const std::string map = place.folder / "map.safetensors";
    CHECK(run_tool({"features", "-m", place.model, photo, "--layers", "relu5_2", "-o", map}).code == 0);
    CHECK(model::SafetensorsFile::open(map).find("relu5_2")->shape[1] == 8);
    CHECK(run_tool({"compare", "-m", place.model, photo, photo}).code == 0);
    CHECK(run_tool({"stylize", "-m", place.model, photo, photo, "-o", place.folder / "out.png",
                    "--content-layers", "relu4_1", "--style-layers", "relu1_1,relu2_1", "--steps", "2"})
              .code == 0);
}
