// vgg19 finetune: trains a model on labelled images.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;

namespace {

constexpr std::size_t records = 12;

/// A model with `classes` classes, and images to train it on.
struct Workplace {
    TemporaryFolder folder;

    explicit Workplace(std::size_t classes = 10) {
        convert_state_dict(folder / "model", classes);
        write_file(folder / "batch.bin", cifar_records(records));
    }

    Arguments command(const Arguments& more = {}, const std::string& data = "batch.bin",
                      const std::string& output = "tuned") const {
        Arguments arguments = {
            "finetune", folder / "model", "-o", folder / output, "--data", folder / data, "--size",
            "32",       "--batch",        "4",  "--threads",     "2"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    Outcome finetune(const Arguments& more = {}, const std::string& data = "batch.bin",
                     const std::string& output = "tuned") const {
        return run_tool(command(more, data, output));
    }

    /// The result of training without an interruption.
    std::string trained(const Arguments& more) const {
        const Outcome outcome = finetune(more, "batch.bin", "whole");
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        return read_file(folder / "whole");
    }

    void check_refused(const Arguments& more, int code, const std::string& message,
                       const std::string& data = "batch.bin") const {
        const Outcome outcome = finetune(more, data);
        INFO(outcome.errors);
        CHECK(outcome.code == code);
        CHECK(contains(outcome.errors, message));
        CHECK_FALSE(std::filesystem::exists(folder / "tuned"));
    }

    void add_photos(const std::vector<std::string>& names) const {
        for (const std::string& name : names) {
            std::filesystem::create_directories(folder / "photos" / name);
            write_image(folder / "photos" / name / "a.bmp", 40 + 3 * name.size(), 40);
        }
    }

    bool has(const std::string& name) const { return std::filesystem::exists(folder / name); }
};

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("finetune writes a trained model, reports its accuracy, and leaves no other file") {
    const Workplace place;
    write_file(place.folder / "others.bin", cifar_records(records, records));
    const Outcome outcome = place.finetune(
        {"--validate", place.folder / "others.bin", "--log", place.folder / "log.csv", "--epochs", "2"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.output, "top-1 of 12 images: "));
    CHECK(contains(outcome.output, "tuned: baseline, "));
    CHECK(contains(outcome.errors, "training: 6 steps of 4 images, 2 threads, "));
    CHECK(contains(outcome.errors, "epoch 2 of 2: loss "));
    CHECK(lines_in(read_file(place.folder / "log.csv")) == 7);
    CHECK(files_in(place.folder.path()) == 5);
    const model::ModelFile model = model::ModelFile::open(place.folder / "tuned");
    CHECK(model.description().lineage.back() ==
          "finetune --data batch.bin --size 32 --epochs 2 --batch 4 --lr 0.0001 --schedule cosine "
          "--optimizer adam --weight-decay 0 --dropout 0.5 --train all --seed 0");
    CHECK(run_tool({"inspect", place.folder / "tuned", "--verify"}).code == 0);
}

TEST_CASE("finetune of a pruned model stays pruned, on a subset, by a map") {
    const Workplace place(1000);
    const std::string pruned = place.folder / "pruned";
    REQUIRE(run_tool({"prune", place.folder / "model", "-o", pruned, "--ratio", "0.2"}).code == 0);
    place.add_photos({"7", "n02123045"});
    const Outcome outcome =
        run_tool({"finetune", pruned, "-o", place.folder / "tuned", "--data", place.folder / "photos",
                  "--size", "32", "--subset", "1", "--seed", "5", "--train", "dense"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const model::ModelFile model = model::ModelFile::open(place.folder / "tuned");
    CHECK(model.description().variant == "pruned");
    CHECK(contains(model.description().lineage.back(), "--data photos --subset 1 "));
    CHECK(contains(model.description().lineage.back(), "--seed 5"));

    std::string map;
    for (int label = 0; label < 10; ++label) map += std::to_string(label) + " 7\n";
    write_file(place.folder / "map.txt", map);
    CHECK(place.finetune({"--label-map", place.folder / "map.txt"}).code == 0);
    const model::ModelFile mapped = model::ModelFile::open(place.folder / "tuned");
    CHECK(contains(mapped.description().lineage.back(), "--data batch.bin --label-map map.txt "));
}

TEST_CASE("finetune that is repeatedly killed finally gives the same file") {
    const Workplace place;
    const Arguments more = {"--epochs", "8", "--checkpoint-steps", "3", "--resume"};
    const std::string expected = place.trained(more);
    int killed = 0;
    Outcome outcome;
    for (double seconds = 0.01; outcome.code != 0; seconds *= 1.5) {
        outcome = run_tool_with_signal(place.command(more), "KILL", seconds);
        killed += static_cast<int>(outcome.code != 0);
        CHECK_FALSE((outcome.code != 0 && outcome.code != 137));
        if (place.has("tuned"))
            CHECK(read_file(place.folder / "tuned") == expected);  // killed just as it finished
    }
    CHECK(killed > 0);
    CHECK(read_file(place.folder / "tuned") == expected);
    CHECK_FALSE(place.has("tuned.checkpoint"));
}

TEST_CASE("finetune that is interrupted leaves a checkpoint, and says how to continue") {
    const Workplace place;
    const Arguments more = {"--epochs", "100000", "--checkpoint-every", "0"};
    for (const char* signal : {"INT", "TERM"}) {
        Outcome outcome;
        for (double seconds = 0.5; outcome.code != 1 && seconds < 100; seconds *= 2) {
            std::filesystem::remove(place.folder / "tuned.checkpoint");
            outcome = run_tool_with_signal(place.command(more), signal, seconds);
        }
        INFO(outcome.errors);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.errors, "finishing this step"));
        CHECK(contains(outcome.errors, "--resume continues from"));
        CHECK(place.has("tuned.checkpoint"));
        CHECK_FALSE(place.has("tuned"));
    }
    place.check_refused(more, 2, "expected no checkpoint yet, found one: continue from it with --resume");
    place.check_refused({"--epochs", "7", "--resume"}, 2, "epochs was 100000, is 7");
    write_file(place.folder / "tuned.checkpoint", "nothing");
    place.check_refused({"--resume"}, 5, "tuned.checkpoint");
}

TEST_CASE("finetune on a full disk keeps the last checkpoint, and continues when there is space") {
    const Workplace place;
    const Arguments more = {"--epochs", "2", "--checkpoint-steps", "2"};
    const std::string expected = place.trained(more);
    const Outcome first = run_tool_on_small_disk(place.command(more), 4);
    INFO(first.errors);
    CHECK(first.code == 1);
    CHECK(contains(first.errors, "tuned.checkpoint: cannot be written"));
    CHECK(files_in(place.folder.path()) == 3);

    // First a checkpoint of a killed run, then a full disk.
    for (double seconds = 0.2; !place.has("tuned.checkpoint") && !place.has("tuned"); seconds *= 1.5) {
        run_tool_with_signal(place.command(more), "KILL", seconds);
    }
    if (!place.has("tuned.checkpoint")) return;  // it finished before it could be killed
    const std::string checkpoint = read_file(place.folder / "tuned.checkpoint");
    Arguments resume = more;
    resume.emplace_back("--resume");
    const Outcome outcome = run_tool_on_small_disk(place.command(resume), 4);
    INFO(outcome.errors);
    CHECK(outcome.code == 1);
    CHECK(read_file(place.folder / "tuned.checkpoint") == checkpoint);
    CHECK_FALSE(place.has("tuned"));
    CHECK(place.finetune(resume).code == 0);
    CHECK(read_file(place.folder / "tuned") == expected);
}

TEST_CASE("finetune refuses invalid data, maps and models") {
    const Workplace place;
    write_file(place.folder / "cut.bin", cifar_records(records).substr(0, 5000));
    place.check_refused({}, 5, "cut.bin: expected CIFAR-10's records", "cut.bin");
    place.check_refused({}, 5, "found nothing of that name", "missing");
    write_file(place.folder / "map.txt", "cat 281\n");
    place.check_refused({"--label-map", place.folder / "map.txt"}, 5, "map.txt: line 1: expected a class");
    place.add_photos({"a", "b"});
    place.check_refused({}, 5, "photos: expected 10 classes as in the model", "photos");
    std::filesystem::create_directory(place.folder / "photos" / "c");
    place.check_refused({}, 5, "found none in 'c'", "photos");
    place.check_refused({}, 5, "without a label", "photos/a");

    REQUIRE(run_tool({"quantize", place.folder / "model", "-o", place.folder / "int8"}).code == 0);
    const Outcome outcome = run_tool(
        {"finetune", place.folder / "int8", "-o", place.folder / "x", "--data", place.folder / "batch.bin"});
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, "classifier.0"));
}

TEST_CASE("finetune names the image that cannot be read") {
    const Workplace place(2);
    place.add_photos({"a", "b"});
    write_file(place.folder / "photos" / "b" / "broken.png", "no image at all");
    place.check_refused({}, 5, "broken.png", "photos");
}

TEST_CASE("finetune that diverges says so") {
    const Workplace place;
    place.check_refused({"--lr", "1000", "--optimizer", "sgd", "--epochs", "50"}, 1, "finite");
}

TEST_CASE("finetune names invalid options") {
    const Workplace place;
    place.check_refused({"--epochs", "0"}, 2, "--epochs: expected");
    place.check_refused({"--lr", "0"}, 2, "--lr: expected");
    place.check_refused({"--lr", "nan"}, 2, "--lr: expected");
    place.check_refused({"--dropout", "1"}, 2, "--dropout: expected");
    place.check_refused({"--keep", "1"}, 2, "--keep: expected");
    place.check_refused({"--optimizer", "lion"}, 2,
                        "--optimizer: expected one of adam, relative-adam, sgd; found 'lion'");
    place.check_refused({"--schedule", "up"}, 2, "--schedule: expected one of constant, cosine, step");
    place.check_refused({"--train", "some"}, 2, "--train: expected one of all, dense, conv");
    place.check_refused({"--momentum", "0.5"}, 2, "--momentum is only for --optimizer sgd");
    place.check_refused({"--memory", "1"}, 2, "--memory: expected at least");
    place.check_refused({"--subset", "0"}, 2, "--subset: expected");
    place.check_refused({"--log", place.folder / "tuned"}, 2, "--log: expected a separate file");
    place.check_refused({"--checkpoint", place.folder / "tuned"}, 2, "different files");
    place.check_refused({"--checkpoint", place.folder / "model"}, 2, "found the input");
    CHECK(files_in(place.folder.path()) == 2);
}
