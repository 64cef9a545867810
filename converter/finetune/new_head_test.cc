#include "converter/finetune/new_head.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/data/testing/pictures.h"
#include "converter/factorize/factorize.h"
#include "converter/finetune/checkpoint.h"
#include "converter/finetune/testing/workplace.h"
#include "vgg19/session.h"

namespace vgg19::converter {

namespace {

using testing::Workplace;
using vgg19::testing::Containing;

/// The bytes of all tensors of `model` except those of `layer`, as one text.
std::string others(const model::ModelFile& model, const std::string& layer) {
    std::string bytes;
    std::vector<std::string> names;
    for (const model::Tensor& tensor : model.tensors()) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        if (name.starts_with(layer)) continue;
        const auto values = model.tensor(name).bytes;
        bytes += name;
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
    }
    return bytes;
}

NewHead pets() {
    return {.classes = 3, .names = {"cat", "dog", "newt"}, .epochs = 1, .learning_rate = std::nullopt};
}

/// Ten classes of pictures, and a head for ten other classes.
struct HeadWorkplace : Workplace {
    explicit HeadWorkplace(model::DenseOrder order = model::DenseOrder::input_major) : Workplace(order) {
        options.head = NewHead{.classes = 10, .names = {}, .epochs = 1, .learning_rate = std::nullopt};
    }
};

}  // namespace

TEST_CASE("a new head has the requested number of outputs, small random weights, and the names") {
    for (const auto order : {model::DenseOrder::input_major, model::DenseOrder::output_major}) {
        const Workplace place(order);
        const NewHeadModel headed(*place.model, pets(), 7);
        const model::ModelFile& model = headed.file();
        CHECK(model.network().classes() == 3);
        CHECK(model.description().class_names == pets().names);
        const model::DenseLayer& layer = model.network().dense_layers().back();
        CHECK(model.order(layer) == order);
        const auto weights = model.weight(layer).as<float>();
        REQUIRE(weights.size() == layer.inputs * 3);
        double squares = 0;
        for (const float weight : weights)
            squares += static_cast<double>(weight) * static_cast<double>(weight);
        const double deviation = std::sqrt(squares / static_cast<double>(weights.size()));
        CHECK(deviation > 0.007);
        CHECK(deviation < 0.013);
        const auto bias = model.tensor(model::bias_name(layer.name)).as<float>();
        CHECK(std::count(bias.begin(), bias.end(), 0.0F) == 3);
        CHECK(others(model, layer.name) == others(*place.model, layer.name));

        const NewHeadModel same(*place.model, pets(), 7);
        CHECK(std::ranges::equal(same.file().weight(layer).as<float>(), weights));
        const NewHeadModel other(*place.model, pets(), 8);
        CHECK_FALSE(std::ranges::equal(other.file().weight(layer).as<float>(), weights));
    }
}

TEST_CASE("a factored last layer becomes a whole new one") {
    const Workplace place;
    factorize_model(*place.model, {.layers = {"classifier.6"}, .ranks = {4}}, place.folder / "factored");
    const model::ModelFile factored = model::ModelFile::open(place.folder / "factored");
    REQUIRE(factored.network().ranks().back() == 4);
    const NewHeadModel headed(factored, pets(), 1);
    CHECK(headed.file().network().ranks().back() == 0);
    CHECK(headed.file().network().dense_layers().back().name == "classifier.6");
    CHECK(headed.file().find("classifier.6.0.bias") == nullptr);
}

TEST_CASE("the head's own epochs come first and do not change the other layers") {
    HeadWorkplace place;
    place.options.head->epochs = 2;
    const std::string message = place.stop_after(10);
    CHECK(message == Containing("interrupted after step 10 of 20"));
    const model::SafetensorsFile kept = model::SafetensorsFile::open(place.files.checkpoint);
    for (const model::Tensor& tensor : kept.tensors()) CHECK(tensor.name.starts_with("classifier.6."));
    std::vector<TrainingStep> steps;
    TrainingPlan plan;
    place.files.resume = true;
    place.run({.starting = [&](const TrainingPlan& starting) { plan = starting; },
               .stepped = [&](const TrainingStep& step) { steps.push_back(step); }});
    CHECK(plan.head_epochs == 2);
    CHECK(plan.epochs == 4);
    CHECK(plan.done == 10);
    REQUIRE(steps.size() == 10);
    CHECK(steps.front().epoch == 3);
    CHECK(steps.front().learning_rate == doctest::Approx(1e-3 / 2));  // it has its own warm-up
    CHECK(steps.back().images == 4 * Workplace::pictures);
}

TEST_CASE("interrupted training of a new head continues to the same file, byte for byte") {
    HeadWorkplace place;
    INFO(place.random.replay());
    place.options.keep = 0.25;  // share of the weights at the start of the last phase
    const std::string expected = place.result();
    place.files.resume = true;
    for (const std::uint64_t step : {1U, 4U, 5U, 6U, 10U, 14U}) {
        CAPTURE(step);
        CHECK(place.stop_after(step) ==
              Containing("interrupted after step " + std::to_string(step) + " of 15"));
        std::uint64_t first = 0;
        place.run({.stepped = [&](const TrainingStep& done) { first = first == 0 ? done.step : first; }});
        CHECK(first == step + 1);
        CHECK(place.take_output() == expected);
    }
}

TEST_CASE("so does training of only convolutions after it, which does not change the head") {
    HeadWorkplace place(model::DenseOrder::output_major);
    place.options.trained = TrainedLayers::convolutions;
    place.options.optimizer.kind = OptimizerKind::sgd;
    const std::string expected = place.result();
    place.files.resume = true;
    for (std::uint64_t step = 1; step < 15; ++step) place.stop_after(step);
    place.run();
    CHECK(place.take_output() == expected);
}

TEST_CASE("a checkpoint of another head is refused") {
    HeadWorkplace place;
    place.stop_after(7);
    place.files.resume = true;
    place.options.head->epochs = 2;
    CHECK(place.run_error(ErrorKind::usage) == Containing("head-epochs was 1, is 2"));
    place.options.head->epochs = 1;
    place.options.head->names = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    CHECK(place.run_error(ErrorKind::usage) == Containing("class_names was [], is [\"a\""));
    place.options.head.reset();
    CHECK(place.run_error(ErrorKind::usage) == Containing("classes was 10, is not given"));
}

TEST_CASE("--train head does not change other layers") {
    HeadWorkplace place;
    place.options.trained = TrainedLayers::head;
    place.run();
    const model::ModelFile file = model::ModelFile::open(place.files.output);
    CHECK(others(file, "classifier.6.") == others(*place.model, "classifier.6."));
    CHECK(others(file, "features") != others(*place.model, "features"));
}

TEST_CASE("a new head learns two classes that are easy to tell apart") {
    Workplace place;
    for (int i = 0; i < 12; ++i) {
        const std::string name = std::to_string(i) + ".ppm";
        testing::write_grey(place.folder / "photos/dark" / name, 5 + 4 * i);
        testing::write_grey(place.folder / "photos/light" / name, 245 - 4 * i);
    }
    place.data = open_data_set(place.folder / "photos");
    place.options.head =
        NewHead{.classes = 2, .names = {"light", "dark"}, .epochs = 1, .learning_rate = std::nullopt};
    place.options.epochs = 40;
    place.options.batch = 8;
    place.options.dropout = 0;
    place.options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 2e-3};
    const LabelMap labels = map_classes(*place.data, "photos", {2, {"light", "dark"}}).map;
    CHECK(labels == LabelMap{1, 0});
    const EvaluationImages images = {place.data.get(), spread_items(24, 24), labels};
    finetune(*place.model, {images, {{"data", "photos"}}}, place.options, place.files);

    const Model model = Model::open(place.files.output);
    CHECK(model.class_names() == std::vector<std::string>{"light", "dark"});
    CHECK(model.lineage().back() ==
          Containing("finetune --data photos --classes 2 --head-epochs 1 --head-lr 0.02 "));
    Session session(model, {.input_height = 32, .input_width = 32, .batch = 4});
    CHECK(evaluate(session, images).total.top1 == 24);
}

}  // namespace vgg19::converter
