#include "converter/finetune/finetune.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/finetune/checkpoint.h"
#include "converter/finetune/micro_batch.h"
#include "converter/finetune/testing/workplace.h"
#include "converter/quantize/quantize.h"
#include "engine/model/model_access.h"

namespace vgg19::converter {

namespace {

using testing::content;
using testing::Workplace;
using testing::write;
using vgg19::testing::Containing;

#if VGG19_HAS_ONEDNN

/// The largest difference between two models' weights.
float difference(const model::ModelFile& a, const model::ModelFile& b) {
    float largest = 0;
    for (const model::Tensor& tensor : a.tensors()) {
        const std::span<const float> x = tensor.as<float>();
        const std::span<const float> y = b.tensor(tensor.name).as<float>();
        for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
    }
    return largest;
}

bool same_bytes(const model::Tensor& a, const model::Tensor& b) {
    return a.shape == b.shape && std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

void write_ppm(const std::filesystem::path& path, int grey) {
    std::filesystem::create_directories(path.parent_path());
    write(path, "P6\n40 36\n255\n" + std::string(40UL * 36 * 3, static_cast<char>(grey)));
}

#endif

}  // namespace

#if VGG19_HAS_ONEDNN

TEST_CASE("a network learns to tell dark pictures from bright ones") {
    Workplace place;
    INFO(place.random.replay());
    std::string bytes;
    for (std::size_t i = 0; i < Workplace::pictures; ++i) {
        bytes += static_cast<char>(i % 2);
        bytes += std::string(Workplace::record_bytes - 1, static_cast<char>(i % 2 == 0 ? 30 : 220));
    }
    write(place.folder / "batch.bin", bytes);
    place.data = open_data_set(place.folder / "batch.bin");
    place.options.epochs = 10;
    place.options.dropout = 0;
    place.options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 3e-3};
    std::vector<TrainingStep> steps;
    place.run({.stepped = [&](const TrainingStep& step) { steps.push_back(step); }});
    REQUIRE(steps.size() == 50);
    CHECK(steps.back().epoch_loss < 0.7 * steps[4].epoch_loss);
}

TEST_CASE("a trained model keeps variant, network and order of weights, and records how it was trained") {
    for (const auto order : {model::DenseOrder::input_major, model::DenseOrder::output_major}) {
        Workplace place(order);
        const std::string before = content(place.folder / "model");
        place.run();
        const model::ModelFile trained = model::ModelFile::open(place.files.output);
        trained.verify_checksums();
        CHECK(trained.network() == place.model->network());
        CHECK(trained.description().variant == "baseline");
        for (const auto& layer : trained.network().dense_layers()) CHECK(trained.order(layer) == order);
        REQUIRE(trained.description().lineage.size() == 2);
        CHECK(
            trained.description().lineage[1] ==
            "finetune --data batch.bin --size 32 --epochs 2 --batch 4 --lr 0.001 --schedule cosine --warmup "
            "2 --optimizer adam --weight-decay 0 --dropout 0.5 --train all --seed 0");
        CHECK(difference(trained, *place.model) > 1e-4F);
        CHECK(content(place.folder / "model") == before);
        CHECK_FALSE(place.has("checkpoint"));
    }
}

TEST_CASE("a share of the old weights may be kept") {
    Workplace place;
    INFO(place.random.replay());
    place.run();
    const model::ModelFile trained = model::ModelFile::open(place.files.output);
    place.options.keep = 0.25;
    place.files.output = place.folder / "kept";
    place.run();
    const model::ModelFile kept = model::ModelFile::open(place.files.output);
    CHECK(kept.description().lineage.back() == Containing(" --dropout 0.5 --keep 0.25 --train all"));
    for (const model::Tensor& tensor : kept.tensors()) {
        INFO(tensor.name);
        const auto found = tensor.as<float>();
        const auto before = place.model->tensor(tensor.name).as<float>();
        const auto after = trained.tensor(tensor.name).as<float>();
        float farthest = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            const float expected = 0.25F * before[i] + 0.75F * after[i];
            farthest = std::max(farthest, std::abs(found[i] - expected));
        }
        CHECK(farthest <= 1e-6F);
    }
}

TEST_CASE("a model with other weights learns a teacher's answers, without labels") {
    Workplace place;
    INFO(place.random.replay());
    vgg19::testing::write_narrow_model(place.folder / "teacher", place.random);
    place.options.distillation = Distillation{.teacher = Model::open(place.folder / "teacher")};
    place.options.epochs = 10;
    place.options.dropout = 0;
    place.options.average = 0.2;
    place.options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 3e-3};
    TrainingImages images = place.images();
    images.images.labels.clear();
    images.held_out = images.images;  // here it is known that it learns
    const FinetuneResult result = finetune(*place.model, images, place.options, place.files);
    CHECK_FALSE(result.undone);
    CHECK_FALSE(result.before->top1);
    CHECK(result.after->images == Workplace::pictures);
    CHECK(result.after->loss < 0.5 * result.before->loss);
    CHECK(model::ModelFile::open(place.files.output).description().lineage.back() ==
          Containing(" --temperature 2 --label-weight 0.5 --feature-weight 1 --average 0.2 "));
}

TEST_CASE("a model that is not better on held-out images after training keeps its weights, and says so") {
    Workplace place;
    INFO(place.random.replay());
    place.options.distillation = Distillation{.teacher = model::map_model(place.folder / "model")};
    TrainingImages images = place.images();
    images.held_out = images.images;
    images.held_out->labels.clear();
    images.held_out->items.resize(5);
    // Nothing agrees with the teacher better than itself.
    const FinetuneResult result = finetune(*place.model, images, place.options, place.files);
    CHECK(result.undone);
    CHECK(result.before->loss < 1e-6);
    CHECK(result.before->same_as_teacher == 5);
    CHECK(result.after->loss > result.before->loss);
    const model::ModelFile kept = model::ModelFile::open(place.files.output);
    for (const model::Tensor& tensor : kept.tensors()) {
        CHECK(same_bytes(tensor, place.model->tensor(tensor.name)));
    }
    CHECK(kept.description().lineage.back() == Containing(" (undone: not better on 5 held-out images)"));
}

TEST_CASE("averaging gives the mean of the weights after each of the last steps") {
    Workplace place;
    INFO(place.random.replay());
    place.options.epochs = 1;
    // Five steps; the run to each of the last three, by a schedule that does not depend on the number of
    // steps.
    place.options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 1e-3, .warmup = 0};
    place.options.average = 0.6;
    place.run();
    const model::ModelFile averaged = model::ModelFile::open(place.files.output);
    place.options.average = 0;
    std::vector<float> mean(averaged.tensor("classifier.6.bias").as<float>().size());
    for (const std::uint64_t step : {3U, 4U, 5U}) {
        place.files.resume = false;
        if (step < 5) {
            place.stop_after(step);
            const auto checkpoint = model::SafetensorsFile::open(place.files.checkpoint);
            const auto values = checkpoint.find("classifier.6.bias")->as<float>();
            for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += values[i] / 3;
            std::filesystem::remove(place.files.checkpoint);
        } else {
            place.run();
            const auto last = model::ModelFile::open(place.files.output);
            const auto values = last.tensor("classifier.6.bias").as<float>();
            for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += values[i] / 3;
        }
    }
    const auto found = averaged.tensor("classifier.6.bias").as<float>();
    for (std::size_t i = 0; i < mean.size(); ++i) {
        CHECK(found[i] == doctest::Approx(mean[i]).epsilon(1e-5));
    }
}

TEST_CASE("a teacher with other classes is refused") {
    Workplace place;
    vgg19::testing::write_narrow_model(place.folder / "teacher", place.random, 7);
    place.options.distillation = Distillation{.teacher = model::map_model(place.folder / "teacher")};
    CHECK(place.run_error(ErrorKind::usage) ==
          Containing("the teacher: expected the model's 10 classes, found 7"));
    place.options.distillation.reset();
    TrainingImages images = place.images();
    images.images.labels.clear();
    CHECK(vgg19::testing::error_of(ErrorKind::usage, [&] {
              finetune(*place.model, images, place.options, place.files);
          }) == Containing("expected labels or a teacher, found neither"));
}

TEST_CASE("layers that are not trained do not change") {
    for (const auto trained : {TrainedLayers::dense, TrainedLayers::convolutions}) {
        Workplace place;
        place.options.trained = trained;
        place.run();
        const model::ModelFile result = model::ModelFile::open(place.files.output);
        for (const model::Tensor& tensor : result.tensors()) {
            INFO(tensor.name);
            const bool is_trained =
                tensor.name.starts_with("features.") == (trained == TrainedLayers::convolutions);
            CHECK(same_bytes(tensor, place.model->tensor(tensor.name)) != is_trained);
        }
    }
}

TEST_CASE("images that do not fit at once are processed in parts, with nearly the same result") {
    Workplace place;
    INFO(place.random.replay());
    place.options.input_size = 32;
    place.options.dropout = 0.5;
    place.options.optimizer.kind =
        OptimizerKind::sgd;  // Adam turns sign differences of gradients near 0 into full steps
    place.run();
    const model::ModelFile whole = model::ModelFile::open(place.files.output);
    place.files.output = place.folder / "in-parts";
    for (const std::size_t micro_batch : {3U, 2U, 1U}) {
        place.options.memory_bytes = training_bytes(*place.model, place.options, micro_batch);
        TrainingPlan plan;
        place.run({.starting = [&](const TrainingPlan& starting) { plan = starting; }});
        CHECK(plan.micro_batch == std::min<std::size_t>(micro_batch, 2));  // equal parts of 4
        CHECK(plan.bytes <= place.options.memory_bytes);
        CHECK(difference(model::ModelFile::open(place.files.output), whole) < 1e-4F);
    }
    place.options.memory_bytes = training_bytes(*place.model, place.options, 1) - 1;
    const std::string message = place.run_error(ErrorKind::usage);
    CHECK(message == Containing("--memory: expected at least "));
    CHECK(message == Containing(" MB, which training with 1 of 4 images at a time takes"));
}

TEST_CASE("a checkpoint's micro-batch is kept, and refused if it no longer fits") {
    Workplace place;
    place.options.input_size = 32;
    place.options.memory_bytes = training_bytes(*place.model, place.options, 2);
    const std::string expected = place.result();
    place.stop_after(3);
    place.files.resume = true;
    place.options.memory_bytes = training_bytes(*place.model, place.options, 1);
    CHECK(place.run_error(ErrorKind::usage) == Containing("training with 2 of 4 images at a time"));
    place.options.memory_bytes = 0;
    place.run();
    CHECK(place.take_output() == expected);
}

TEST_CASE("a loss that is not finite ends training, and leaves the last checkpoint") {
    Workplace place;
    place.options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 1e30};
    place.files.checkpoint_steps = 100;
    const std::string message = place.run_error(ErrorKind::failed);
    CHECK(message == Containing("training failed after step "));
    CHECK(message == Containing("not finite"));
    CHECK_FALSE(place.has("output"));
    CHECK_FALSE(place.has("checkpoint"));
}

TEST_CASE("weights that are not finite are written neither to a checkpoint nor to a model") {
    Workplace place;
    place.options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 1e300};
    place.files.checkpoint_steps = 1;
    CHECK(place.run_error(ErrorKind::failed) == Containing("not written"));
    CHECK_FALSE(place.has("checkpoint"));
    place.options.epochs = 1;
    place.options.batch = 100;
    CHECK(place.run_error(ErrorKind::failed) == Containing("output: not written: after training"));
    CHECK_FALSE(place.has("output"));
}

TEST_CASE("an unreadable image is named, and a checkpoint of the earlier steps remains") {
    Workplace place;
    for (int i = 0; i < 20; ++i)
        write_ppm(place.folder / "photos" / std::to_string(i % 10) / (std::to_string(i) + ".ppm"), 9 * i);
    place.data = open_data_set(place.folder / "photos");
    place.options.epochs = 1;
    const auto train = [&] {
        finetune(*place.model,
                 {{.data = place.data.get(),
                   .items = spread_items(20, 20),
                   .labels = map_classes(*place.data, "photos", 10).map},
                  {{"data", "photos"}}},
                 place.options, place.files);
    };
    train();
    const std::string expected = place.take_output();

    std::vector<std::size_t> shown;
    const std::filesystem::path broken = place.folder / "photos/7/17.ppm";
    const std::string picture = content(broken);
    write(broken, picture.substr(0, 500));
    const std::string message = vgg19::testing::error_of(ErrorKind::bad_input, train);
    CHECK(message == Containing(broken.string()));
    place.files.resume = true;
    if (place.has("checkpoint")) CHECK(message == Containing("--resume continues from"));
    write(broken, picture);
    train();
    CHECK(place.take_output() == expected);
}

TEST_CASE("quantised models, shared files and missing images are refused before any work") {
    Workplace place;
    quantize_dense(*place.model, place.folder / "int8");
    const model::ModelFile quantised = model::ModelFile::open(place.folder / "int8");
    const auto refusal = [&](ErrorKind kind, const model::ModelFile& model, const TrainingImages& images) {
        return vgg19::testing::error_of(kind, [&] { finetune(model, images, place.options, place.files); });
    };
    CHECK(refusal(ErrorKind::bad_input, quantised, place.images()) == Containing("classifier.0"));
    TrainingImages none = place.images();
    none.images.items.clear();
    CHECK(refusal(ErrorKind::usage, *place.model, none) == Containing("expected images, found none"));
    const FinetuneFiles files = place.files;
    place.files.output = place.folder / "model";
    CHECK(place.run_error(ErrorKind::usage) == Containing("found the input"));
    place.files = files;
    place.files.checkpoint = place.folder / "model";
    CHECK(place.run_error(ErrorKind::usage) == Containing("found the input"));
    place.files.checkpoint = files.output;
    CHECK(place.run_error(ErrorKind::usage) == Containing("different files"));
    CHECK_FALSE(place.has("output"));
}

#else

TEST_CASE("a build without oneDNN says that it cannot train") {
    const Workplace place;
    CHECK(place.run_error(ErrorKind::usage) == Containing("oneDNN"));
    CHECK_FALSE(place.has("output"));
}

#endif

}  // namespace vgg19::converter
