// Interrupted and resumed training.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "converter/finetune/checkpoint.h"
#include "converter/finetune/testing/workplace.h"
#include "engine/model/description.h"
#include "engine/model/model_access.h"

namespace vgg19::converter {

namespace {

using testing::content;
using testing::Workplace;
using testing::write;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// Replaces a checkpoint's metadata.
void rewrite(const std::filesystem::path& path, const std::string& key, const std::string& value) {
    const model::SafetensorsFile file = model::SafetensorsFile::open(path);
    model::Metadata metadata = file.metadata();
    for (auto& [name, text] : metadata) {
        if (name == key) text = value;
    }
    model::write_safetensors(path, metadata, file.tensors());
}

}  // namespace

TEST_CASE("interrupted training continues to the same file, byte for byte") {
    Workplace place;
    INFO(place.random.replay());
    const std::string expected = place.result();
    place.files.resume = true;
    for (const std::uint64_t step : {1U, 4U, 5U, 9U}) {
        const std::string message = place.stop_after(step);
        CHECK(message == Containing("interrupted after step " + std::to_string(step) + " of 10"));
        CHECK(message == Containing("--resume continues from " + place.files.checkpoint.string()));
        CHECK_FALSE(place.has("output"));
        CHECK(Checkpoint::open(place.files.checkpoint).position().steps == step);
        std::uint64_t first = 0;
        place.run({.stepped = [&](const TrainingStep& done) { first = first == 0 ? done.step : first; }});
        CHECK(first == step + 1);
        CHECK(place.take_output() == expected);
        CHECK_FALSE(place.has("checkpoint"));
    }
}

TEST_CASE(
    "so does training with SGD, of only dense layers, without augmentation, interrupted at every step") {
    Workplace place;
    INFO(place.random.replay());
    place.options.optimizer.kind = OptimizerKind::sgd;
    place.options.trained = TrainedLayers::dense;
    place.options.augmentation = false;
    const std::string expected = place.result();
    place.files.resume = true;
    for (std::uint64_t step = 1; step < 10; ++step) place.stop_after(step);
    place.run();
    CHECK(place.take_output() == expected);
}

TEST_CASE("so does training with a teacher, an average and held-out images") {
    Workplace place;
    INFO(place.random.replay());
    vgg19::testing::write_narrow_model(place.folder / "teacher", place.random);
    place.options.distillation = Distillation{.teacher = model::map_model(place.folder / "teacher")};
    place.options.average = 0.55;  // from the fifth of ten steps on
    TrainingImages images = place.images();
    images.held_out = images.images;
    images.held_out->items.resize(5);
    const auto run = [&](std::uint64_t last) {
        std::uint64_t seen = 0;
        TrainingObserver observer;
        observer.stepped = [&](const TrainingStep& done) { seen = done.step; };
        observer.should_stop = [&] { return seen == last; };
        return finetune(*place.model, images, place.options, place.files, observer);
    };
    const FinetuneResult expected = run(0);
    const std::string bytes = place.take_output();
    place.files.resume = true;
    for (const std::uint64_t step : {3U, 4U, 5U, 8U}) {
        error_of(ErrorKind::failed, [&] { run(step); });
        const auto checkpoint = model::SafetensorsFile::open(place.files.checkpoint);
        CHECK((checkpoint.find("classifier.6.bias.average") != nullptr) == (step >= 5));
    }
    const FinetuneResult found = run(0);
    CHECK(found.before->loss == expected.before->loss);
    CHECK(found.after->loss == expected.after->loss);
    CHECK(place.take_output() == bytes);

    error_of(ErrorKind::failed, [&] { run(3); });
    vgg19::testing::write_narrow_model(place.folder / "other", place.random);
    place.options.distillation->teacher = model::map_model(place.folder / "other");
    images.held_out->items.pop_back();
    const std::string message = error_of(ErrorKind::usage, [&] { run(0); });
    CHECK(message == Containing("teacher_sha256 was"));
    CHECK(message == Containing("held_out_sha256 was"));
}

TEST_CASE("a rate that was found is the same after a resume") {
    Workplace place;
    INFO(place.random.replay());
    place.options.finds_rate = true;
    TrainingImages images = place.images();
    images.held_out = images.images;
    images.held_out->items.resize(5);
    std::size_t searches = 0;
    const auto run = [&](std::uint64_t last) {
        std::uint64_t seen = 0;
        TrainingObserver observer;
        observer.rates_tried = [&](const std::vector<TriedRate>& tried) {
            ++searches;
            CHECK(tried.size() == 4);
        };
        observer.stepped = [&](const TrainingStep& done) { seen = done.step; };
        observer.should_stop = [&] { return seen == last; };
        return finetune(*place.model, images, place.options, place.files, observer);
    };
    run(1000);
    const std::string bytes = place.take_output();
    error_of(ErrorKind::failed, [&] { run(4); });
    CHECK(searches == 2);
    place.files.resume = true;
    run(1000);
    CHECK(searches == 2);
    CHECK(place.take_output() == bytes);

    place.files.resume = false;
    CHECK(error_of(ErrorKind::failed, [&] { run(0); }) ==
          Containing("interrupted while it tried learning rates"));
    CHECK_FALSE(place.has("checkpoint"));
    images.held_out.reset();
    CHECK(error_of(ErrorKind::usage, [&] { run(1000); }) ==
          Containing("--lr auto: expected held-out images"));
}

TEST_CASE("after a kill, training continues from the last checkpoint, or from the beginning") {
    Workplace place;
    INFO(place.random.replay());
    const std::string expected = place.result();
    place.files.resume = true;
    place.files.checkpoint_steps = 3;
    place.crash_after(2);
    CHECK_FALSE(place.has("checkpoint"));
    place.crash_after(8);
    CHECK(Checkpoint::open(place.files.checkpoint).position().steps == 6);
    place.run();
    CHECK(place.take_output() == expected);
}

TEST_CASE("checkpoints are also written by time, and none after the last step") {
    Workplace place;
    place.files.checkpoint_seconds = 1e-9;
    place.crash_after(4);
    CHECK(Checkpoint::open(place.files.checkpoint).position().steps == 3);
}

TEST_CASE("the statistics of an epoch continue after a resume") {
    Workplace place;
    std::vector<TrainingStep> whole;
    place.run({.stepped = [&](const TrainingStep& step) { whole.push_back(step); }});
    place.stop_after(7);
    place.files.resume = true;
    std::vector<TrainingStep> rest;
    TrainingPlan plan;
    place.run({.starting = [&](const TrainingPlan& starting) { plan = starting; },
               .stepped = [&](const TrainingStep& step) { rest.push_back(step); }});
    CHECK(plan.done == 7);
    CHECK(plan.steps == 10);
    REQUIRE(whole.size() == 10);
    REQUIRE(rest.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(rest[i].loss == whole[7 + i].loss);
        CHECK(rest[i].epoch_loss == whole[7 + i].epoch_loss);
        CHECK(rest[i].epoch_accuracy == whole[7 + i].epoch_accuracy);
        CHECK(rest[i].images == whole[7 + i].images);
        CHECK(rest[i].learning_rate == whole[7 + i].learning_rate);
    }
    CHECK(whole[4].images == Workplace::pictures);
    CHECK(whole[4].epoch == 1);
    CHECK(whole[9].images == 2 * Workplace::pictures);
    CHECK(whole[9].epoch == 2);
}

TEST_CASE("an existing checkpoint is refused, and not changed") {
    Workplace place;
    place.stop_after(3);
    const std::string before = content(place.files.checkpoint);
    CHECK(place.run_error(ErrorKind::usage) ==
          Containing("expected no checkpoint yet, found one: continue from it with --resume"));
    CHECK(content(place.files.checkpoint) == before);
}

TEST_CASE("the error for another run's checkpoint lists the differences") {
    Workplace place;
    place.stop_after(3);
    place.files.resume = true;
    const std::string before = content(place.files.checkpoint);
    const FinetuneOptions options = place.options;
    place.options.schedule.learning_rate = 0.5;
    place.options.optimizer.kind = OptimizerKind::sgd;
    const std::string message = place.run_error(ErrorKind::usage);
    CHECK(message == Containing("lr was 0.001, is 0.5"));
    CHECK(message == Containing(R"(optimizer was "adam", is "sgd")"));
    CHECK(message == Containing("momentum was not given, is 0.9"));

    place.options = options;
    place.options.threads = 1;
    CHECK(place.run_error(ErrorKind::usage) == Containing("--threads: expected 2"));
    place.options = options;
    TrainingImages fewer = place.images();
    fewer.images.items.pop_back();
    CHECK(error_of(ErrorKind::usage, [&] { finetune(*place.model, fewer, options, place.files); }) ==
          Containing("images was 18, is 17"));
    TrainingImages others = place.images();
    others.images.labels[0] = 9;
    CHECK(error_of(ErrorKind::usage, [&] { finetune(*place.model, others, options, place.files); }) ==
          Containing("images_sha256 was"));

    vgg19::testing::write_narrow_model(place.folder / "model", place.random);
    const model::ModelFile model = model::ModelFile::open(place.folder / "model");
    CHECK(error_of(ErrorKind::usage, [&] { finetune(model, place.images(), options, place.files); }) ==
          Containing("model_sha256 was"));
    CHECK(content(place.files.checkpoint) == before);

    place.options.threads = 0;  // the checkpoint's
    place.run();
}

TEST_CASE("the error for a damaged checkpoint names the place") {
    Workplace place;
    place.stop_after(3);
    place.files.resume = true;
    const std::string whole = content(place.files.checkpoint);
    const auto refusal = [&] { return place.run_error(ErrorKind::bad_input); };

    write(place.files.checkpoint, whole.substr(0, whole.size() - 1));
    CHECK(refusal() == Containing("checkpoint"));
    write(place.files.checkpoint, "");
    CHECK(refusal() == Containing("checkpoint"));
    std::string flipped = whole;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    write(place.files.checkpoint, flipped);
    CHECK(refusal() == Containing("expected checksum sha256:"));
    std::filesystem::copy_file(place.folder / "model", place.files.checkpoint,
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(refusal() == Containing("format"));

    const std::vector<std::vector<std::string>> states = {
        {"[]", "expected an object"},
        {"{", "metadata \"state\""},
        {R"({"steps": 1.5})", "steps: expected a whole number from 0"},
        {R"({"steps": 3})", "loss: expected a number, found none"},
        {R"({"steps": 99, "loss": 1, "top1": 0, "seconds": 0, "micro_batch": 4, "threads": 2})",
         "expected at most 10 steps, found 99"},
        {R"({"steps": 3, "loss": 1, "top1": 0, "seconds": 0, "micro_batch": 5, "threads": 2})",
         "expected a micro-batch of at most 4, found 5"},
        {R"({"steps": 3, "loss": 1, "top1": 0, "seconds": 0, "micro_batch": 0, "threads": 2})",
         "micro_batch: expected a whole number from 1"},
        {R"({"steps": 3, "loss": 1, "top1": 0, "seconds": 0, "micro_batch": 4, "threads": 5000})",
         "threads: expected a whole number from 1 to 1024, found 5000"}};
    for (const auto& state : states) {
        write(place.files.checkpoint, whole);
        rewrite(place.files.checkpoint, "state", state[0]);
        CHECK(refusal() == Containing(state[1]));
    }
    CHECK_FALSE(place.has("output"));
    write(place.files.checkpoint, whole);
    place.run();
}

TEST_CASE("a checkpoint with a tensor too few, too many or of another shape is refused") {
    Workplace place;
    place.stop_after(3);
    place.files.resume = true;
    const std::string whole = content(place.files.checkpoint);
    const auto with = [&](const auto& change) {
        write(place.files.checkpoint, whole);
        const model::SafetensorsFile file = model::SafetensorsFile::open(place.files.checkpoint);
        std::vector<model::Tensor> tensors = file.tensors();
        change(tensors);
        model::write_safetensors(place.files.checkpoint, file.metadata(), tensors);
        return place.run_error(ErrorKind::bad_input);
    };
    CHECK(with([](auto& tensors) { tensors.pop_back(); }) == Containing("found none"));
    CHECK(with([](auto& tensors) {
              tensors.push_back(tensors.back());
              tensors.back().name = "more";
          }) == Containing("tensors, found"));
    CHECK(with([](auto& tensors) { tensors.front().shape.push_back(1); }) == Containing("expected F32"));
}

}  // namespace vgg19::converter
