// vgg19 convert: its output, and what other commands do with the result.
#include <doctest/doctest.h>

#include <algorithm>
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

/// A VGG with one dense layer on 1×1 pixels and two classes, under "net.module.", next to unrelated tensors.
void write_checkpoint(const std::filesystem::path& path) {
    kernels::testing::Random random;
    RandomTensors made = random_tensors(model::Network::parse("4 M 5 M 6 6 M 7 7 M 8 8 M", "2", 1), random);
    for (model::Tensor& tensor : made.tensors) {
        tensor.name = "net.module." + tensor.name;
        if (tensor.name.ends_with("classifier.0.weight")) tensor.name = "net.module.fc.weight";
        if (tensor.name.ends_with("classifier.0.bias")) tensor.name = "net.module.fc.bias";
    }
    const std::vector<float> other(3);
    for (const char* name : {"optimizer.state.0", "optimizer.state.1", "net.loss.weight"}) {
        made.tensors.push_back({name, model::DType::f32, {3}, std::as_bytes(std::span(other))});
    }
    model::write_safetensors(path, {}, made.tensors);
}

struct Workplace {
    TemporaryFolder folder;

    Workplace() {
        write_checkpoint(folder / "weights.safetensors");
        write_file(folder / "names.txt", "cat\nhot dog\n");
        write_image(folder / "photo.bmp", 40, 40);
    }
    Outcome convert(const Arguments& options = {}) const {
        Arguments arguments = {"convert", folder / "weights.safetensors", "-o", folder / "model"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_tool(arguments);
    }
};

void write_header(const std::filesystem::path& path, const std::string& header) {
    std::string length;
    for (unsigned shift = 0; shift < 64; shift += 8) length += static_cast<char>(header.size() >> shift);
    write_file(path, length + header);
}

}  // namespace

TEST_CASE("convert reports what it used, left out and assumed, on standard error") {
    const Workplace place;
    const Outcome outcome = place.convert();
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors, "took 18 tensors of a VGG-11 under net.module\n"));
    CHECK(contains(outcome.errors, "dense layers: net.module.fc: 8 → 2\n"));
    CHECK(contains(outcome.errors, "optimizer (2 tensors)"));
    CHECK(contains(outcome.errors, "net.loss (1 tensor)"));
    CHECK(
        contains(outcome.errors, "input size 32 is assumed; use --size N if the head averages larger maps"));
    CHECK(contains(outcome.errors, "use --mean and --std for others"));
    CHECK_FALSE(contains(outcome.output, "took"));
}

TEST_CASE("class names appear in classify, inspect and eval, also with two classes") {
    const Workplace place;
    REQUIRE(place
                .convert({"--classes", place.folder / "names.txt", "--size", "40", "--mean", "0.5,0.4,0.3",
                          "--std", "0.2,0.2,0.25"})
                .code == 0);
    const Outcome text = run_tool({"classify", "-m", place.folder / "model", place.folder / "photo.bmp"});
    INFO(text.errors);
    REQUIRE(text.code == 0);
    CHECK(contains(text.output, "%  cat, class 0\n"));
    CHECK(contains(text.output, "%  hot dog, class 1\n"));
    const Outcome json =
        run_tool({"classify", "-m", place.folder / "model", "--json", place.folder / "photo.bmp"});
    const Json found = Json::parse(json.output, "the output of classify");
    const Json::Array& top = found.array()[0].find("top")->array();
    REQUIRE(top.size() == 2);
    CHECK(top[top[0].find("class")->size()].find("synset")->string().empty());

    const Outcome inspected = run_tool({"inspect", place.folder / "model", "--json"});
    const Json model = Json::parse(inspected.output, "the output of inspect");
    CHECK(model.find("class_names")->array()[1].string() == "hot dog");
    CHECK(model.find("network")->find("pooled_side")->size() == 1);
    CHECK(model.find("preprocessing")->find("input_size")->size() == 40);
    CHECK(model.find("preprocessing")->find("mean")->array()[2].number() == doctest::Approx(0.3));
    CHECK(model.find("preprocessing")->find("deviation")->array()[2].number() == doctest::Approx(0.25));
    CHECK(contains(run_tool({"inspect", place.folder / "model"}).output, "class names    cat, hot dog\n"));

    std::filesystem::create_directories(place.folder / "photos/cat");
    std::filesystem::create_directories(place.folder / "photos/hot dog");
    for (const char* name : {"photos/cat/1.bmp", "photos/hot dog/1.bmp"})
        write_image(place.folder / name, 40, 40);
    const Outcome evaluated = run_tool(
        {"eval", "-m", place.folder / "model", "--data", place.folder / "photos", "--per-class", "--json"});
    INFO(evaluated.errors);
    REQUIRE(evaluated.code == 0);
    const Json report = Json::parse(evaluated.output, "the output of eval");
    CHECK(report.find("classes")->array()[1].find("label")->string() == "hot dog");
}

TEST_CASE("names and preprocessing of an existing model can be changed") {
    const Workplace place;
    REQUIRE(place.convert().code == 0);
    const Outcome outcome = run_tool({"convert", place.folder / "model", "-o", place.folder / "named",
                                      "--classes", place.folder / "names.txt"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK_FALSE(contains(outcome.errors, "took"));
    CHECK(contains(run_tool({"inspect", place.folder / "named"}).output, "convert --classes names.txt"));
}

TEST_CASE("a classifier can be left out; pools and preprocessing are shown") {
    const Workplace place;
    const Outcome converted =
        place.convert({"--features-only", "--pooling", "average", "--preprocessing", "caffe"});
    INFO(converted.errors);
    REQUIRE(converted.code == 0);
    CHECK(contains(converted.errors, "dense layers: none\n"));
    CHECK(contains(converted.errors, "left: net.module.fc (2 tensors)\n"));
    CHECK(contains(converted.errors, "a model of features alone, which has no classes\n"));
    const std::string model = place.folder / "model";
    const Outcome text = run_tool({"inspect", model});
    CHECK(contains(text.output, "dense layers   none: features alone, without classes\n"));
    CHECK(contains(text.output, "pools          average\n"));
    CHECK(contains(text.output, "; BGR from 0 to 255, mean 103.939 116.779 123.68, deviation 1 1 1\n"));
    const Json json = Json::parse(run_tool({"inspect", model, "--json"}).output, "the output of inspect");
    CHECK(json.find("network")->find("pooling")->string() == "average");
    CHECK(json.find("preprocessing")->find("channel_order")->string() == "BGR");
    CHECK(json.find("preprocessing")->find("range")->number() == 255);
    CHECK(json.find("classes")->size() == 0);
}

TEST_CASE("the first convolutions alone become a model; a hole in them is named") {
    const TemporaryFolder folder;
    kernels::testing::Random random;
    RandomTensors made = random_tensors(model::Network::parse("4 4 M 5 5 M 6", ""), random);
    for (model::Tensor& tensor : made.tensors)
        tensor.name = tensor.name.substr(std::string("features.").size());
    model::write_safetensors(folder / "weights", {}, made.tensors);
    const Outcome outcome = run_tool({"convert", folder / "weights", "-o", folder / "model"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors, "took 10 tensors of a VGG-19's first 5 convolutions\n"));
    CHECK(contains(run_tool({"inspect", folder / "model"}).output, "convolutions   4 4 M 5 5 M 6\n"));

    std::erase_if(made.tensors, [](const model::Tensor& tensor) { return tensor.name == "5.bias"; });
    model::write_safetensors(folder / "hole", {}, made.tensors);
    const Outcome refused = run_tool({"convert", folder / "hole", "-o", folder / "other"});
    CHECK(refused.code == 5);
    CHECK(
        contains(refused.errors, "expected the tensors of a VGG-19's first 5 convolutions, found 1 problem"));
    CHECK(contains(refused.errors, "5.bias: missing; expected (5)"));
    CHECK_FALSE(std::filesystem::exists(folder / "other"));
}

TEST_CASE("invalid options of convert are wrong usage") {
    const Workplace place;
    const auto check_refused = [&](const Arguments& options, const std::string& message, int code) {
        const Outcome outcome = place.convert(options);
        CHECK(outcome.code == code);
        CAPTURE(outcome.errors);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(place.folder / "model"));
    };
    check_refused({"--mean", "0.5"}, "--mean: expected three numbers from 0 to 65535", 2);
    check_refused({"--mean", "0.5,0.5,0.5,0.5"}, "--mean: expected three numbers", 2);
    check_refused({"--mean", "124,116,104"}, "--mean: expected numbers up to the range of the input, 1", 2);
    check_refused({"--std", "58,57,57"}, "use --range 255 for samples of 0 to 255", 2);
    check_refused({"--range", "0.5"}, "--range", 2);
    check_refused({"--channels", "rgb"}, "--channels: expected RGB or BGR, found 'rgb'", 2);
    check_refused({"--pooling", "mean"}, "--pooling: expected max or average, found 'mean'", 2);
    check_refused({"--preprocessing", "keras"}, "--preprocessing: expected torchvision or caffe", 2);
    check_refused({"--std", "0,0.5,0.5"}, "--std: expected three numbers from just above 0 to 65535", 2);
    check_refused({"--size", "31"}, "--size", 2);
    check_refused({"--batch-norm-epsilon", "0"}, "--batch-norm-epsilon", 2);
    check_refused({"--dense-order", "both"}, "--dense-order: expected input or output", 2);
    check_refused({"--key", "teacher"}, "--key teacher: expected the path of a VGG", 5);
    write_file(place.folder / "names.txt", "cat\ncat\n");
    check_refused({"--classes", place.folder / "names.txt"}, "line 2: expected each class once", 5);
}

TEST_CASE("names in a file cannot control the terminal, nor fill it") {
    const Workplace place;
    const std::string entry = R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,0]}})";
    write_header(place.folder / "escape", R"({"\u001b[2J\u009b31m\u202e\n)" + entry);
    write_header(place.folder / "long", "{\"" + std::string(5'000'000, 'n') + entry);
    for (const char* name : {"escape", "long"}) {
        for (const char* command : {"inspect", "convert"}) {
            CAPTURE(name);
            CAPTURE(command);
            Arguments arguments = {command, place.folder / name};
            if (arguments[0] == "convert") arguments.insert(arguments.end(), {"-o", place.folder / "out"});
            const Outcome outcome = run_tool(arguments);
            CHECK(outcome.code == 5);
            CHECK(outcome.output.empty());
            CHECK(outcome.errors.size() < 1000);
            for (const char* control : {"\x1b", "\xc2\x9b", "\xe2\x80\xae"}) {
                CHECK(!contains(outcome.errors, control));
            }
        }
    }
}

TEST_CASE("class names and pictures' names cannot control the terminal") {
    const Workplace place;
    write_file(place.folder / "odd.txt", "a\x1b[31m\nb\n");
    REQUIRE(place.convert({"--classes", place.folder / "odd.txt"}).code == 0);
    write_image(place.folder / "p\x1b[2J.bmp", 40, 40);
    for (const Arguments& arguments :
         {Arguments{"inspect", place.folder / "model"},
          Arguments{"classify", place.folder / "p\x1b[2J.bmp", "-m", place.folder / "model"}}) {
        const Outcome outcome = run_tool(arguments);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.output, R"(a\x1b[31m)"));
        CHECK(!contains(outcome.output, "\x1b"));
    }
}
