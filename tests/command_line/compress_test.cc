// `vgg19 compress`: a whole search with a narrow model, killed and resumed.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

struct Place {
    TemporaryFolder folder;
    std::string weights = folder / "weights";
    std::string data = folder / "train.bin";
    std::string test = folder / "test.bin";
    std::string out = folder / "out";

    Place() {
        write_state_dict(weights);
        write_file(data, cifar_records(40));
        write_file(test, cifar_records(60, 40));
    }
    Arguments arguments(const std::string& to, const Arguments& more = {}) const {
        Arguments all = {"compress",   weights, "--data",     data, "--test",     test,
                         "-o",         to,      "--size",     "32", "--threads",  "1",
                         "--max-drop", "30",    "--hold-out", "4",  "--min-time", "0.001",
                         "--budget",   "1000",  "--models",   "4",  "--max-mb",   "0.04"};
        for (std::size_t i = 0; i < more.size(); ++i) {
            const auto found = std::find(all.begin(), all.end(), more[i]);
            if (!more[i].starts_with("--") || found == all.end()) {
                all.push_back(more[i]);
            } else {
                *(found + 1) = more[++i];  // a value instead of the one above
            }
        }
        return all;
    }
    Outcome run(const Arguments& more = {}) const { return run_tool(arguments(out, more)); }
    Json report(const std::string& of) const {
        const std::string name = of + "/report.json";
        return Json::parse(read_file(name), name);
    }
};

const Json& compression(const Json& report) {
    return *report.find("compression");
}

}  // namespace

TEST_CASE("A search that is killed again and again ends with the same models as one that is not") {
    const Place place;
    const std::string whole = place.folder / "whole";
    const Outcome outcome = run_tool(place.arguments(whole));
    INFO(outcome.errors);
    REQUIRE(std::filesystem::exists(whole + "/report.html"));

    // Each run is killed a little later, so that steps of all kinds are hit.
    for (int kills = 1; kills < 6; ++kills) {
        run_tool_with_signal(place.arguments(place.out), "KILL", 0.3 * kills);
    }
    const Outcome last = place.run();
    INFO(last.errors);
    CHECK(last.code == outcome.code);
    CHECK(last.output.substr(0, last.output.find('(')) == outcome.output.substr(0, outcome.output.find('(')));
    const Json one = place.report(whole);
    const Json other = place.report(place.out);
    const Json::Array& trials = compression(one).find("trials")->array();
    const Json::Array& same = compression(other).find("trials")->array();
    REQUIRE(trials.size() > 2);
    REQUIRE(same.size() == trials.size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
        CHECK(trials[i].find("recipe")->string() == same[i].find("recipe")->string());
        CHECK(trials[i].find("held_out")->dump() == same[i].find("held_out")->dump());
    }
    const Json::Array& models = compression(one).find("models")->array();
    REQUIRE(models.size() == compression(other).find("models")->array().size());
    for (const Json& model : models) {
        const std::string name = "/" + model.find("id")->string() + ".safetensors";
        CAPTURE(name);
        CHECK(read_file(whole + name) == read_file(place.out + name));
    }

    const Outcome again = place.run();
    CHECK(again.code == last.code);
    CHECK_FALSE(contains(again.errors, ": done in "));  // every step was done before
}

TEST_CASE("A search ends with a front, its page, and each model's recipe, which makes exactly that model") {
    const Place place;
    const Outcome outcome = place.run({"--models", "3"});
    INFO(outcome.errors);
    const Json report = place.report(place.out);
    CHECK(outcome.code == (compression(report).find("promise")->find("kept")->boolean() ? 0 : 1));
    CHECK(contains(outcome.output, compression(report).find("promise")->find("verdict")->string()));
    CHECK(report.find("variants")->array().size() == 1 + compression(report).find("models")->array().size());
    CHECK(report.find("variants")->array()[0].find("id")->string() == "baseline");
    const std::string page = read_file(place.out + "/report.html");
    for (const Json& model : compression(report).find("models")->array()) {
        CHECK(contains(page, "<td>" + model.find("id")->string() + "</td>"));
        CHECK(contains(page, "--recipe"));
        CHECK(model.find("test")->find("images")->number() == 60);
        CHECK(model.find("held_out")->find("images")->number() == 10);
    }
    for (const char* outside : {"http:", "https:", "src=", "href", "url(", "{{"})
        CHECK_FALSE(contains(page, outside));

    const Json& model = compression(report).find("models")->array().back();
    CHECK(contains(model.find("command")->string(),
                   " --max-drop 30 "));  // fewer images would be too few for less
    const std::string made = place.folder / "made";
    Arguments arguments = place.arguments(made);
    arguments.insert(arguments.end(), {"--recipe", model.find("recipe")->string()});
    const Outcome recipe = run_tool(arguments);
    INFO(recipe.errors);
    const std::string name = "/" + model.find("id")->string() + ".safetensors";
    REQUIRE(std::filesystem::exists(made + name));
    CHECK(read_file(made + name) == read_file(place.out + name));
}

TEST_CASE("Models are also tried at smaller inputs, which are then their own") {
    const Place place;
    const Outcome outcome = place.run(
        {"--size", "64,48", "--models", "9", "--recipe", "quantize --scope all | convert --size 48"});
    INFO(outcome.errors);
    const Json report = place.report(place.out);
    const Json& variants = *report.find("variants");
    CHECK(variants.array().at(0).find("input_size")->size() == 64);
    CHECK(variants.array().at(1).find("input_size")->size() == 48);
    CHECK(variants.array().at(0).find("accuracy")->find("size")->size() == 64);
    CHECK(variants.array().at(1).find("accuracy")->find("size")->size() == 48);
    CHECK(variants.array().at(1).find("test_agreement")->find("size")->size() == 64);
    const Outcome search =
        run_tool(place.arguments(place.folder / "search", {"--size", "64,48", "--models", "9"}));
    INFO(search.errors);
    CHECK(contains(search.errors, "(at a smaller size)"));
}

TEST_CASE("A search takes a model in place, and reports which step is the last with --until") {
    const Place place;
    const std::string model = place.folder / "model.safetensors";
    REQUIRE(run_tool({"convert", place.weights, "-o", model, "--size", "32"}).code == 0);
    Arguments arguments = place.arguments(place.out, {"--until", "quantize 1"});
    arguments[1] = model;
    const Outcome outcome = run_tool(arguments);
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(std::filesystem::is_symlink(place.out + "/baseline.safetensors"));
    CHECK(std::filesystem::exists(place.out + "/work/1-quantize.safetensors"));
    CHECK_FALSE(std::filesystem::exists(place.out + "/search.json"));
}

TEST_CASE("Models of an earlier search in the folder make room, and nothing outside of it does") {
    const Place place;
    const std::string outside = place.folder / "kept.safetensors";
    write_file(outside, "kept");
    place.run({"--models", "2"});
    const std::string list = place.out + "/work/models.txt";
    write_file(list, read_file(list) + "../kept.safetensors\n");
    place.run({"--models", "1"});
    const Json after = place.report(place.out);
    CHECK(std::filesystem::exists(outside));
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(place.out)) {
        if (entry.path().extension() == ".safetensors") ++files;
    }
    CHECK(files == 1 + compression(after).find("models")->array().size());  // and the baseline
}

TEST_CASE("A promise that cannot be kept is an answer: how near it came and what binds") {
    const Place place;
    const Outcome outcome = place.run({"--models", "2", "--max-mb", "0.005"});
    INFO(outcome.errors);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.output, "No model keeps the promise: nearest is "));
    CHECK(contains(outcome.output, "--max-mb 0.005 binds"));
    CHECK(std::filesystem::exists(place.out + "/report.html"));
}

TEST_CASE("What a search cannot be made of is refused before it begins") {
    const Place place;
    const auto refused = [&place](const Arguments& arguments, int code, const std::string& message) {
        const Outcome outcome = run_tool(arguments);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(place.out));
    };
    const auto with = [&place](const Arguments& more) { return place.arguments(place.out, more); };
    refused(with({"--max-drop", "1"}), 5,
            "--test: expected at least 268 images, found 60: with fewer, not even a model without a single "
            "difference can be shown to lose at most 1.00 points");
    refused(with({"--test-images", "5"}), 5, "expected at least 7 images, found 5");
    refused(with({"--max-drop", "0"}), 2, "--max-drop: expected");
    refused(with({"--max-ms", "-1"}), 2, "--max-ms: expected");
    refused(with({"--size", "32,64"}), 2, "--size: expected sizes from large to small, found 64 after 32");
    refused(with({"--size", "64,32", "--bench-size", "224"}), 2, "--bench-size and several sizes");
    refused(with({"--recipe", "finetune", "--epochs", "3"}), 2, "--recipe and --epochs exclude each other");
    refused(with({"--until", "prune"}), 2, "--until: expected a step such as 'prune 2'");
    refused(with({"--until", "sleep 2"}), 2, "--until: expected a step such as 'prune 2'");
    refused(with({"--recipe", "prune | sleep"}), 2, "--recipe: expected stages of prune");
    refused({"compress", place.weights, "--data", place.data, "-o", place.out}, 2, "--test is required");

    Arguments int8 = with({});
    convert_state_dict(place.folder / "model");
    int8[1] = place.folder / "int8";
    REQUIRE(run_tool({"quantize", place.folder / "model", "-o", int8[1]}).code == 0);
    refused(int8, 2,
            "expected weights or a baseline that variants can be derived from, found a model of the "
            "variant int8");

    Arguments shared = with({});
    write_file(place.test, cifar_records(60, 39));
    refused(shared, 5, "expected different pictures, found 1 of 60 of --test in --data too");

    std::filesystem::create_directory(place.folder / "pictures");
    write_image(place.folder / "pictures/one.bmp", 40, 40);
    Arguments unlabelled = with({});
    unlabelled[5] = place.folder / "pictures";
    refused(unlabelled, 5,
            "--test: " + std::string(place.folder / "pictures") +
                ": expected labelled images, found images without classes");
}

TEST_CASE("Labels outside the map end a search before the first model is made") {
    const Place place;
    const std::string map = place.folder / "map.txt";
    write_file(map, "airplane 0\n");
    const Outcome outcome = place.run({"--label-map", map});
    INFO(outcome.errors);
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, map));
    CHECK_FALSE(std::filesystem::exists(place.out + "/work/1-quantize.safetensors"));
}

TEST_CASE("--dry-run of a recipe prints all of its commands") {
    const Place place;
    const Outcome outcome =
        place.run({"--dry-run", "--recipe", "prune --ratio 0.2 | finetune | quantize --scope all"});
    CHECK(outcome.code == 0);
    for (const char* part : {"vgg19 convert ", "vgg19 prune ", " --ratio 0.2 --calib ", "vgg19 finetune ",
                             " --teacher ", " --hold-out 4 ", "vgg19 quantize ", "vgg19 eval -m "}) {
        CAPTURE(part);
        CHECK(contains(outcome.output, part));
    }
    CHECK_FALSE(std::filesystem::exists(place.out));
}
