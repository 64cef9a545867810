#include "tools/pipeline/plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/testing/error_of.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

namespace {

PipelineOptions options() {
    PipelineOptions result;
    result.weights = "vgg19.pth";
    result.data = "train";
    result.test = "test";
    result.folder = "out";
    return result;
}

std::vector<std::string> ids(const PipelinePlan& plan) {
    std::vector<std::string> result;
    for (const Step& step : plan.steps) result.push_back(step.id);
    return result;
}

std::string command(const PipelinePlan& plan, const std::string& id) {
    const auto found =
        std::find_if(plan.steps.begin(), plan.steps.end(), [&id](const Step& step) { return step.id == id; });
    return found == plan.steps.end() ? "" : command_text(found->words);
}

}  // namespace

TEST_CASE("The plan makes all variants, evaluates each, and times them together") {
    const PipelinePlan plan = plan_pipeline(options(), false);
    CHECK(ids(plan) == std::vector<std::string>{"convert", "scan", "prune", "finetune", "quantize int8",
                                                "quantize pruned-int8", "quantize int8-full",
                                                "quantize pruned-int8-full", "eval baseline", "eval pruned",
                                                "eval int8", "eval pruned-int8", "eval res160",
                                                "eval int8-full", "eval pruned-int8-full", "bench"});
    CHECK(command(plan, "convert") == "vgg19 convert vgg19.pth -o out/baseline.safetensors");
    CHECK(command(plan, "prune") ==
          "vgg19 prune out/baseline.safetensors -o out/work/pruned.safetensors --calib train");
    CHECK(command(plan, "finetune") ==
          "vgg19 finetune out/work/pruned.safetensors -o out/pruned.safetensors --data train --teacher "
          "out/baseline.safetensors --checkpoint out/work/finetune.checkpoint --resume");
    CHECK(command(plan, "quantize pruned-int8-full") ==
          "vgg19 quantize out/pruned.safetensors -o out/pruned-int8-full.safetensors --scope all --calib "
          "train");
    CHECK(command(plan, "eval int8") ==
          "vgg19 eval -m out/int8.safetensors --data test --json --reference out/baseline.safetensors");
    CHECK(command(plan, "eval res160") ==
          "vgg19 eval -m out/baseline.safetensors --data test --json --size 160");
    CHECK(command(plan, "bench") ==
          "vgg19 bench --models out --variants "
          "baseline,pruned,int8,pruned-int8,res160,int8-full,pruned-int8-full --format json --out "
          "out/bench.json");
}

TEST_CASE("Every input of a step is given, or made by a step before it") {
    PipelineOptions all = options();
    all.rank = "16";
    const PipelinePlan plan = plan_pipeline(all, false);
    std::vector<std::filesystem::path> there = {"vgg19.pth", "train", "test"};
    for (const Step& step : plan.steps) {
        for (const auto& input : step.inputs) {
            CAPTURE(step.id);
            CAPTURE(input);
            CHECK(std::find(there.begin(), there.end(), input) != there.end());
        }
        there.push_back(step.output);
    }
}

TEST_CASE("Options are passed to the right steps") {
    PipelineOptions all = options();
    all.size = "32";
    all.bench_size = "224";
    all.target_macs = "0.5";
    all.criterion = "activation";
    all.round_to = "16";
    all.batch = "128";
    all.keep = "0.25";
    all.subset = "200";
    all.learning_rate = "1e-3";
    all.calibration_images = "64";
    all.test_images = "100";
    all.threads = "12";
    all.reading.label_map = "map";
    all.energy = "0.9";
    const PipelinePlan plan = plan_pipeline(all, true);
    CHECK(command(plan, "convert").empty());
    CHECK(command(plan, "prune") ==
          "vgg19 prune out/baseline.safetensors -o out/work/pruned.safetensors --target-macs 0.5 --criterion "
          "activation --round-to 16 --calib train -n 64 --size 32 --threads 12");
    CHECK(command(plan, "finetune") ==
          "vgg19 finetune out/work/pruned.safetensors -o out/pruned.safetensors --data train --teacher "
          "out/baseline.safetensors --label-map map --subset 200 --batch 128 --lr 1e-3 --keep 0.25 --size 32 "
          "--threads 12 --checkpoint "
          "out/work/finetune.checkpoint --resume");
    CHECK(command(plan, "factorize") ==
          "vgg19 factorize out/pruned.safetensors -o out/pruned-factored.safetensors --energy 0.9");
    CHECK(command(plan, "eval baseline") ==
          "vgg19 eval -m out/baseline.safetensors --data test --json --label-map map -n 100 --size 32 "
          "--threads 12");
    CHECK(command(plan, "bench").find("--size 224") != std::string::npos);
    // Everything runs at 32, so a variant at 160 would be larger.
    CHECK(command(plan, "eval res160").empty());
}

TEST_CASE("Only requested variants are made, and those that they are derived from") {
    PipelineOptions some = options();
    some.variants = {"pruned-int8"};
    some.scan = false;
    some.finetune = false;
    some.refit = false;
    const PipelinePlan plan = plan_pipeline(some, false);
    CHECK(ids(plan) == std::vector<std::string>{"convert", "prune", "quantize pruned-int8", "eval baseline",
                                                "eval pruned-int8", "bench"});
    CHECK(command(plan, "prune") == "vgg19 prune out/baseline.safetensors -o out/pruned.safetensors");
    some.criterion = "activation";
    CHECK(
        command(plan_pipeline(some, false), "prune") ==
        "vgg19 prune out/baseline.safetensors -o out/pruned.safetensors --criterion activation --calib train "
        "--no-refit");
    CHECK_FALSE(plan.sensitivity);
    some.variants = {"int9"};
    CHECK(error_of(ErrorKind::usage, [&] { plan_pipeline(some, false); }) ==
          Containing("pruned-int8-full, found 'int9'"));
}
