// `vgg19 pipeline`: the whole pipeline with a narrow model, interrupted and resumed.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
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
        write_file(data, cifar_records(20));
        write_file(test, cifar_records(30, 20));
    }
    Arguments arguments(const Arguments& more = {}) const {
        Arguments all = {"pipeline", weights,  "--data",   data,        "--test",    test,         "-o",
                         out,        "--size", "32",       "--threads", "1",         "-n",         "8",
                         "--lr",     "1e-3",   "--subset", "10",        "--no-scan", "--min-time", "0.001"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    Outcome run(const Arguments& more = {}) const { return run_tool(arguments(more)); }
    std::map<std::string, std::filesystem::file_time_type> times() const {
        std::map<std::string, std::filesystem::file_time_type> result;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
            if (entry.is_regular_file()) result[entry.path().string()] = entry.last_write_time();
        }
        return result;
    }
};

const Arguments step_ids = {"convert",
                            "prune",
                            "finetune",
                            "quantize int8",
                            "quantize pruned-int8",
                            "quantize int8-full",
                            "quantize pruned-int8-full",
                            "factorize",
                            "quantize pruned-factored-int8-full",
                            "eval baseline",
                            "eval pruned",
                            "eval int8",
                            "eval pruned-int8",
                            "eval int8-full",
                            "eval pruned-int8-full",
                            "eval pruned-factored",
                            "eval pruned-factored-int8-full",
                            "bench"};

Json parsed(const std::filesystem::path& path) {
    return Json::parse(read_file(path), path.string());
}

}  // namespace

TEST_CASE("A pipeline interrupted after every step continues, and reports all variants") {
    const Place place;
    const Arguments factorize = {"--factorize-rank", "4,3"};
    std::map<std::string, std::filesystem::file_time_type> before;
    for (std::size_t i = 0; i < step_ids.size(); ++i) {
        Arguments more = factorize;
        more.insert(more.end(), {"--until", step_ids[i]});
        const Outcome outcome = place.run(more);
        INFO(step_ids[i]);
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        for (std::size_t done = 0; done < i; ++done) {
            CHECK(contains(outcome.errors, "vgg19 pipeline: " + step_ids[done] + ": done before\n"));
        }
        for (const auto& [file, time] : before) {
            if (!contains(file, "pipeline.json")) CHECK(std::filesystem::last_write_time(file) == time);
        }
        before = place.times();
    }
    CHECK_FALSE(std::filesystem::exists(place.out + "/report.html"));
    const Outcome outcome = place.run(factorize);
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors, "bench: done before"));
    CHECK(contains(outcome.output, "report.html"));

    const Json report = parsed(place.out + "/report.json");
    CHECK(report.find("schema_version")->size() == 1);
    CHECK(report.find("machine")->is_object());
    CHECK(report.find("steps")->array().size() == step_ids.size());
    CHECK(report.find("steps")->array()[0].find("command")->string() ==
          "vgg19 convert " + place.weights + " -o " + place.out + "/baseline.safetensors");
    const Json::Array& variants = report.find("variants")->array();
    REQUIRE(variants.size() == 8);
    for (const Json& variant : variants) {
        CAPTURE(variant.find("id")->string());
        CHECK(variant.find("median_ms")->number() > 0);
        CHECK(variant.find("bytes")->size() > 0);
        CHECK(variant.find("input_size")->size() == 32);
        CHECK(variant.find("accuracy")->find("images")->size() == 30);
        CHECK(variant.find("accuracy")->find("top1_interval")->array().size() == 2);
        CHECK(variant.find("lineage")->array()[0].string() == "convert weights");
        CHECK(variant.find("test_agreement")->is_null() == (variant.find("id")->string() == "baseline"));
    }
    CHECK(variants[1].find("lineage")->array().size() == 3);

    const std::string page = read_file(place.out + "/report.html");
    CHECK(contains(page, "<td>pruned-factored-int8-full</td>"));
    for (const char* outside : {"http:", "https:", "src=", "href", "url("})
        CHECK_FALSE(contains(page, outside));
}

TEST_CASE("Changed options of the pipeline rerun only the steps that depend on them") {
    const Place place;
    const Arguments variants = {"--variants", "pruned,int8"};
    REQUIRE(place.run(variants).code == 0);
    Arguments more = variants;
    more.insert(more.end(), {"--ratio", "0.3"});
    const Outcome outcome = place.run(more);
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    for (const char* id : {"convert", "quantize int8", "eval baseline", "eval int8"}) {
        CHECK(contains(outcome.errors, std::string(": ") + id + ": done before"));
    }
    for (const char* id : {"prune", "finetune", "eval pruned", "bench"}) {
        CHECK(contains(outcome.errors, std::string(": ") + id + ": vgg19 "));
    }
}

TEST_CASE("A baseline model is used in place, and never modified") {
    const Place place;
    const std::string model = place.folder / "model.safetensors";
    convert_state_dict(model);
    const std::string content = read_file(model);
    Arguments arguments = place.arguments({"--variants", "int8"});
    arguments[1] = model;
    REQUIRE(run_tool(arguments).code == 0);
    CHECK(std::filesystem::is_symlink(place.out + "/baseline.safetensors"));
    REQUIRE(place.run({"--variants", "int8"}).code == 0);  // now from other weights, in the same folder
    CHECK_FALSE(std::filesystem::is_symlink(place.out + "/baseline.safetensors"));
    CHECK(read_file(model) == content);
}

TEST_CASE("A failing step ends the pipeline with its message and exit code, and earlier results stay") {
    const Place place;
    const std::string map = place.folder / "map.txt";
    write_file(map, "airplane 0\n");
    const Outcome outcome = place.run({"--variants", "int8", "--label-map", map});
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, "vgg19 eval: " + map));
    CHECK(contains(outcome.errors, "step eval baseline ended with exit code 5"));
    CHECK(std::filesystem::exists(place.out + "/int8.safetensors"));
    CHECK_FALSE(std::filesystem::exists(place.out + "/eval/baseline.json"));
    CHECK_FALSE(std::filesystem::exists(place.out + "/eval/baseline.json.part"));

    std::string lines;
    for (int label = 0; label < 10; ++label)
        lines += std::to_string(label) + " " + std::to_string(label) + "\n";
    write_file(map, lines);
    const Outcome again = place.run({"--variants", "int8", "--label-map", map});
    INFO(again.errors);
    CHECK(again.code == 0);
    CHECK(contains(again.errors, "quantize int8: done before"));
}

TEST_CASE("The pipeline refuses invalid options before it begins") {
    const Place place;
    const auto refused = [&place](const Arguments& arguments, int code, const std::string& message) {
        const Outcome outcome = run_tool(arguments);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(place.out));
    };
    refused({"pipeline", place.weights, "--data", place.data, "-o", place.out}, 2, "--test is required");
    refused({"pipeline", place.weights, "--data", place.data, "--test", place.test}, 2,
            "--output is required");
    refused(place.arguments({"--variants", "int9"}), 2, "found 'int9'");
    refused(place.arguments({"--until", "sleep"}), 2, "--until: expected one of convert, prune");
    refused(place.arguments({"--ratio", "0.1", "--target-macs", "0.5"}), 2, "exclude each other");
    refused(place.arguments({"--no-finetune"}), 2, "--no-finetune and --subset exclude each other");
    refused(place.arguments({"--epochs", "0"}), 2, "--epochs: expected");
    refused(place.arguments({"--keep", "1"}), 2, "--keep: expected");
    refused(place.arguments({"--criterion", "l3"}), 2, "--criterion: expected l2, l1, activation or random");
    Arguments missing = place.arguments();
    missing[3] = place.folder / "missing";
    refused(missing, 5, "there is no such file or folder");

    Arguments shared = place.arguments();
    write_file(place.folder / "copy.bin", cifar_records(7, 50) + cifar_records(1, 3));
    shared[5] = place.folder / "copy.bin";
    refused(shared, 5,
            "--data and --test: expected different pictures, found 1 of 8 of --test in --data too");
    write_file(place.folder / "empty.bin", "no images");
    shared[5] = place.folder / "empty.bin";
    refused(shared, 5, "expected CIFAR-10's records");
    refused(place.arguments({"--class-order", "index", "--label-map", place.data}), 2, "exclude each other");

    std::filesystem::create_directory(place.out);
    write_file(place.out + "/baseline.safetensors", "somebody's");
    const Outcome outcome = place.run();
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.errors, "expected an empty folder, or one that vgg19 pipeline made"));
    CHECK(read_file(place.out + "/baseline.safetensors") == "somebody's");
}

TEST_CASE("The pipeline trains on a folder's training batches and tests on its test batch") {
    Place place;
    const std::string cifar = place.folder / "cifar-10";
    std::filesystem::create_directory(cifar);
    write_file(cifar + "/data_batch_1.bin", cifar_records(20));
    write_file(cifar + "/test_batch.bin", cifar_records(10, 20));
    place.data = cifar;
    place.test = cifar + "/test_batch.bin";
    const Outcome outcome = place.run({"--variants", "pruned", "--until", "finetune"});
    INFO(outcome.errors);
    CHECK(outcome.code == 0);
    CHECK(
        contains(outcome.errors,
                 "data: " + cifar + ": 20 images in 1 file (data_batch_1.bin); left out: test_batch.bin\n"));
    CHECK(contains(outcome.errors, "test: " + place.test + ": 10 images in 1 file (test_batch.bin)\n"));
    CHECK(contains(outcome.errors, "calib: " + cifar + ": 20 images in 1 file (data_batch_1.bin)"));
    const Outcome dry = place.run({"--dry-run", "--class-order", "index", "--no-exif"});
    CHECK(contains(dry.output, "--class-order index"));
    CHECK(contains(dry.output, " --no-exif "));
}

TEST_CASE("--dry-run only prints the pipeline's commands") {
    const Place place;
    const Outcome outcome = place.run({"--dry-run", "--variants", "int8"});
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.output, "vgg19 convert " + place.weights));
    CHECK(contains(outcome.output, "vgg19 bench --models"));
    CHECK_FALSE(std::filesystem::exists(place.out));
}
