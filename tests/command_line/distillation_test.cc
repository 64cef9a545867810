// vgg19 finetune --teacher: imitates another model, and is undone where held-out images say so.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/model/json.h"
#include "engine/model/model_file.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

/// A model, a pruned one, and images: in CIFAR-10's format, and without labels.
struct Workplace {
    static constexpr std::size_t records = 23;
    TemporaryFolder folder;

    Workplace() {
        convert_state_dict(folder / "model");
        write_file(folder / "batch.bin", cifar_records(records));
        const Outcome outcome =
            run_tool({"prune", folder / "model", "-o", folder / "pruned", "--ratio", "0.3"});
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
    }

    Outcome finetune(const Arguments& more, const std::string& model = "pruned",
                     const std::string& data = "batch.bin") const {
        Arguments arguments = {
            "finetune", folder / model, "-o", folder / "tuned", "--data", folder / data, "--size",
            "32",       "--batch",      "4",  "--threads",      "2"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }

    std::string last_step() const {
        return model::ModelFile::open(folder / "tuned").description().lineage.back();
    }

    void check_refused(const Arguments& more, int code, const std::string& message,
                       const std::string& data = "batch.bin") const {
        const Outcome outcome = finetune(more, "pruned", data);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(folder / "tuned"));
    }
};

}  // namespace

TEST_CASE("finetune with a teacher holds images out, compares before and after, and says how it was done") {
    const Workplace place;
    const Outcome outcome =
        place.finetune({"--teacher", place.folder / "model", "--lr", "1e-3", "--epochs", "8"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors, "data: 2 images are held out\n"));
    CHECK(contains(outcome.errors, "training: 48 steps of 4 images"));
    CHECK(contains(outcome.output, "top-1 of 2 images: "));
    CHECK(contains(outcome.output, "same top-1 as the teacher of 2 images: "));
    CHECK(contains(
        place.last_step(),
        "finetune --data batch.bin --teacher model --hold-out 10 --size 32 --epochs 8 --batch 4 "
        "--lr 0.001 --schedule cosine --optimizer relative-adam --weight-decay 0 --dropout 0 --temperature "
        "2 --label-weight 0.5 --feature-weight 1 --average 0.5 --train all --seed 0"));
}

TEST_CASE("finetune needs no labels where there is a teacher, and may choose its rate") {
    const Workplace place;
    std::filesystem::create_directory(place.folder / "photos");
    for (std::size_t i = 0; i < 6; ++i) {
        write_image(place.folder / "photos" / (std::to_string(i) + ".bmp"), 40 + 3 * i, 40);
    }
    const Outcome outcome = place.finetune(
        {"--teacher", place.folder / "model", "--hold-out", "3", "--lr", "auto", "--subset", "3"}, "pruned",
        "photos");
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.errors,
                   "learning rates, and the loss on held-out images after a short run: 0.004: "));
    CHECK(contains(outcome.errors, "training: 1 steps of 3 images"));
    CHECK(contains(outcome.output, "same top-1 as the teacher of 2 images: "));
    CHECK_FALSE(contains(outcome.output, "\ntop-1 of"));
    CHECK_FALSE(contains(place.last_step(), "auto"));
    std::filesystem::remove(place.folder / "tuned");
    place.check_refused({}, 5, "without a label", "photos");
}

TEST_CASE("finetune that makes a model worse is undone") {
    const Workplace place;
    // No model agrees more with itself than it does.
    const Outcome outcome =
        place.finetune({"--teacher", place.folder / "model", "--label-weight", "0"}, "model");
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "loss of 2 images: 0.0000 before, "));
    CHECK(contains(outcome.output, "undone: training did not make the model better on these images, so "));
    CHECK(contains(place.last_step(), " (undone: not better on 2 held-out images)"));
    const model::ModelFile before = model::ModelFile::open(place.folder / "model");
    const model::ModelFile after = model::ModelFile::open(place.folder / "tuned");
    for (const model::Tensor& tensor : before.tensors()) {
        const auto bytes = after.tensor(tensor.name).bytes;
        CHECK(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    }
}

TEST_CASE("held-out images are the same for eval, prune and quantize") {
    const Workplace place;
    const Arguments eval = {
        "eval", "-m", place.folder / "model", "--data", place.folder / "batch.bin", "--size", "32", "--json"};
    Arguments held_out = eval;
    held_out.insert(held_out.end(), {"--hold-out", "10"});
    const Outcome found = run_tool(held_out);
    INFO(found.errors);
    REQUIRE(found.code == 0);
    CHECK(model::Json::parse(found.output, "eval").find("images")->number() == 2);
    held_out.back() = "24";
    CHECK(run_tool(held_out).code == 2);

    const Outcome pruned =
        run_tool({"prune", place.folder / "model", "-o", place.folder / "refitted", "--calib",
                  place.folder / "batch.bin", "--size", "32", "--hold-out", "10"});
    INFO(pruned.errors);
    REQUIRE(pruned.code == 0);
    CHECK(contains(model::ModelFile::open(place.folder / "refitted").description().lineage.back(),
                   "-n 21 --size 32 --hold-out 10"));
    const Outcome quantized =
        run_tool({"quantize", place.folder / "model", "-o", place.folder / "int8", "--scope", "all",
                  "--calib", place.folder / "batch.bin", "--size", "32", "--hold-out", "10"});
    INFO(quantized.errors);
    REQUIRE(quantized.code == 0);
    CHECK(contains(model::ModelFile::open(place.folder / "int8").description().lineage.back(),
                   "-n 21 --size 32 --hold-out 10"));
}

TEST_CASE("finetune names options of distillation that do not fit") {
    const Workplace place;
    const std::string teacher = place.folder / "model";
    for (const char* option : {"--temperature", "--label-weight", "--feature-weight"}) {
        place.check_refused({option, "2"}, 2, std::string(option) + " is only for --teacher");
    }
    place.check_refused({"--teacher", teacher, "--temperature", "0"}, 2, "--temperature: expected");
    place.check_refused({"--teacher", teacher, "--average", "1.5"}, 2, "--average: expected");
    place.check_refused({"--teacher", teacher, "--hold-out", "1"}, 2,
                        "--hold-out 1: expected images on both sides, found 0 to train on and 23 held out");
    place.check_refused({"--hold-out", "24"}, 2, "found 23 to train on and 0 held out");
    place.check_refused({"--lr", "auto"}, 2,
                        "--lr auto: expected held-out images, found none; see --hold-out");
    place.check_refused({"--teacher", place.folder / "missing"}, 5, "missing");
    convert_state_dict(place.folder / "other", 7);
    place.check_refused({"--teacher", place.folder / "other"}, 2,
                        "the teacher: expected the model's 10 classes, found 7");
    std::filesystem::create_directory(place.folder / "photos");
    write_image(place.folder / "photos/a.bmp", 40, 40);
    place.check_refused({"--teacher", teacher, "--label-weight", "1"}, 2,
                        "--label-weight: expected labelled images", "photos");
}
