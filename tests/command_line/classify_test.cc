// vgg19 classify: reads images, prints predictions.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/model/json.h"
#include "tests/command_line/tool.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

Json parsed(const Outcome& outcome) {
    return Json::parse(outcome.output, "the output of classify");
}

}  // namespace

TEST_CASE("classify --json gives the library's predictions") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model", 1000);
    const std::string image = folder / "a, b.bmp";  // the comma must not split the argument
    write_image(image, 48, 40);
    const Outcome outcome =
        run_tool({"classify", "-m", folder / "model", "--size", "64", "--top", "7", "--json", image});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);

    Session session(Model::open(folder / "model"), {.input_height = 64, .input_width = 64});
    const std::vector<Prediction> expected = session.classify(load_image(image).view(), 7);
    const Json json = parsed(outcome);
    REQUIRE(json.array().size() == 1);
    CHECK(json.array()[0].find("file")->string() == image);
    CHECK(json.array()[0].find("ms")->number() > 0);
    const Json::Array& top = json.array()[0].find("top")->array();
    REQUIRE(top.size() == expected.size());
    for (std::size_t i = 0; i < top.size(); ++i) {
        CHECK(top[i].find("class")->size() == expected[i].class_index);
        CHECK(top[i].find("synset")->string() == expected[i].synset);
        CHECK(top[i].find("label")->string() == expected[i].label);
        CHECK(top[i].find("probability")->number() == doctest::Approx(expected[i].probability));
    }
    CHECK(top[0].find("synset")->string().starts_with("n"));
}

TEST_CASE("a model converted for a rectangle classifies at it, and says so") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model", 10);
    const Outcome converted =
        run_tool({"convert", folder / "model", "-o", folder / "wide", "--size", "64x96"});
    INFO(converted.errors);
    REQUIRE(converted.code == 0);
    const Outcome inspected = run_tool({"inspect", folder / "wide", "--json", "--plan"});
    const Json model = parsed(inspected);
    CHECK(model.find("preprocessing")->find("input_size")->string() == "64x96");
    CHECK(contains(run_tool({"inspect", folder / "wide"}).output, "preprocessing  64×96"));

    const std::string image = folder / "wide.bmp";
    write_image(image, 100, 60);
    Session session(Model::open(folder / "model"), {.input_height = 64, .input_width = 96});
    const auto expected = session.classify(load_image(image).view(), 1);
    const Json json = parsed(run_tool({"classify", "-m", folder / "wide", "--json", "--top", "1", image}));
    const Json& top = json.array()[0].find("top")->array()[0];
    CHECK(top.find("class")->size() == expected[0].class_index);
}

TEST_CASE("classify lists the images in the order given") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "second.bmp", 40, 48);
    write_image(folder / "first.bmp", 33, 33);
    const Outcome outcome = run_tool({"classify", "-m", folder / "model", "--size", "32",
                                      folder / "first.bmp", "--", folder / "second.bmp"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(outcome.output.find("first.bmp") < outcome.output.find("second.bmp"));
    CHECK(contains(outcome.output, "second.bmp"));
    CHECK(contains(outcome.output, "class "));
}

TEST_CASE("One bad image does not stop classify, but shows in its exit code") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "good.bmp", 40, 48);
    write_file(folder / "text.jpg", "no image at all");
    write_file(folder / "empty.png", "");
    write_file(folder / "cut.bmp", read_file(folder / "good.bmp").substr(0, 100));
    const Arguments arguments = {"classify",
                                 "--model",
                                 folder / "model",
                                 "--size",
                                 "32",
                                 folder / "text.jpg",
                                 folder / "empty.png",
                                 folder / "cut.bmp",
                                 folder / "missing.jpg",
                                 folder.path(),
                                 folder / "good.bmp"};

    const Outcome text = run_tool(arguments);
    CHECK(text.code == 5);
    CHECK(contains(text.output, "good.bmp"));
    for (const char* name : {"text.jpg", "empty.png", "cut.bmp", "missing.jpg"}) {
        INFO(name);
        CHECK(contains(text.errors, name));
        CHECK_FALSE(contains(text.output, name));
    }

    Arguments with_json = arguments;
    with_json.emplace_back("--json");
    const Outcome outcome = run_tool(with_json);
    CHECK(outcome.code == 5);
    const Json json = parsed(outcome);
    REQUIRE(json.array().size() == 6);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK_FALSE(json.array()[i].find("error")->string().empty());
        CHECK(json.array()[i].find("top") == nullptr);
    }
    CHECK(json.array()[5].find("top")->array().size() == 3);
}

TEST_CASE("classify refuses more classes than the model has") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "good.bmp", 40, 48);
    const Outcome outcome =
        run_tool({"classify", "-m", folder / "model", "--size", "32", "--top", "11", folder / "good.bmp"});
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.errors, "--top"));
    CHECK(outcome.output.empty());
}

TEST_CASE("classify reads standard input, also by its name, and reports the source of a picture") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    write_image(folder / "a.bmp", 40, 48);
    write_file(folder / "text", "no image at all");
    const Arguments common = {"classify", "-m", folder / "model", "--size", "32", "--json"};
    const auto with = [&](const std::string& image) {
        Arguments arguments = common;
        arguments.push_back(image);
        return arguments;
    };
    const Json::Array expected = parsed(run_tool(with(folder / "a.bmp"))).array();
    for (const std::string name : {"-", "/dev/stdin"}) {
        const Outcome outcome = run_tool_with_input(with(name), folder / "a.bmp");
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        const Json json = parsed(outcome);
        CHECK(json.array()[0].find("file")->string() == name);
        CHECK(json.array()[0].find("top")->dump(0) == expected[0].find("top")->dump(0));
    }
    const Outcome text = run_tool_with_input(with("-"), folder / "text");
    CHECK(text.code == 5);
    CHECK(contains(text.errors, "standard input: expected a JPEG"));
}

TEST_CASE("classify applies EXIF orientation or not, and refuses pictures beyond its limit") {
    const TemporaryFolder folder;
    convert_state_dict(folder / "model");
    const std::string image = std::string(VGG19_IMAGE_TESTDATA) + "/orientation6.jpg";
    const auto run = [&](const Arguments& more) {
        Arguments arguments = {"classify", "-m", folder / "model", "--size", "32", "--json", image};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    };
    Session session(Model::open(folder / "model"), {.input_height = 32, .input_width = 32});
    const auto probability = [&](const ImageOptions& options) {
        return session.classify(load_image(image, options).view(), 1)[0].probability;
    };
    const auto found = [&](const Arguments& more) {
        return parsed(run(more)).array()[0].find("top")->array()[0].find("probability")->number();
    };
    CHECK(probability({}) != probability({.apply_exif = false}));
    CHECK(found({}) == doctest::Approx(probability({})));
    CHECK(found({"--no-exif"}) == doctest::Approx(probability({.apply_exif = false})));

    write_file(folder / "large.ppm", "P6 2000 1001 255 ");
    const Outcome large = run_tool(
        {"classify", "-m", folder / "model", "--size", "32", "--max-megapixels", "2", folder / "large.ppm"});
    CHECK(large.code == 5);
    CHECK(contains(large.errors, "its header names 2000×1001 pixels, expected at most"));
    CHECK(contains(run({"--max-megapixels", "0"}).errors, "--max-megapixels"));
}
