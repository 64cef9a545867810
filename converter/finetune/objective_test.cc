#include "converter/finetune/objective.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::converter {

namespace {

model::SafetensorsFile golden() {
    return model::SafetensorsFile::open(std::filesystem::path(VGG19_FINETUNE_TESTDATA) /
                                        "objective.golden.safetensors");
}

std::span<const float> floats(const model::SafetensorsFile& file, const std::string& name) {
    return file.find(name)->as<float>();
}

}  // namespace

TEST_CASE("the objective and its gradient are PyTorch's") {
    const model::SafetensorsFile file = golden();
    const std::span<const float> teacher = floats(file, "teacher");
    std::vector<std::size_t> labels;
    for (const float label : floats(file, "labels")) labels.push_back(static_cast<std::size_t>(label));
    const std::size_t classes = teacher.size() / labels.size();
    const struct {
        const char* name;
        Objective objective;
        Targets targets;
    } cases[] = {
        {"labels", {}, {.labels = labels, .teacher_logits = {}}},
        {"teacher",
         {.label_weight = 1, .teacher_weight = 1, .temperature = 4},
         {.labels = {}, .teacher_logits = teacher}},
        {"both",
         {.label_weight = 0.3, .teacher_weight = 1.5, .temperature = 2},
         {.labels = labels, .teacher_logits = teacher}},
    };
    for (const auto& [name, objective, targets] : cases) {
        CAPTURE(name);
        const std::span<const float> logits = floats(file, "logits");
        std::vector<float> values(logits.begin(), logits.end());
        const BatchResult result = apply_objective(objective, values, classes, targets, 0.5);
        const float expected = floats(file, std::string(name) + ".loss")[0];
        CHECK(result.loss == doctest::Approx(expected).epsilon(1e-6));
        const std::span<const float> gradient = floats(file, std::string(name) + ".gradient");
        for (std::size_t i = 0; i < values.size(); ++i) {
            CHECK(std::abs(values[i] - 0.5F * gradient[i]) <= 1e-6F * (1 + std::abs(gradient[i])));
        }
    }
}

TEST_CASE("predictions are counted by labels and by the teacher's answers") {
    std::vector<float> logits = {1, 3, 2, 5, 4, 0};
    const std::vector<std::size_t> labels = {1, 1};
    const std::vector<float> teacher = {0, 0, 9, 7, 1, 1};
    const BatchResult result = apply_objective({.label_weight = 1, .teacher_weight = 1, .temperature = 1},
                                               logits, 3, {.labels = labels, .teacher_logits = teacher}, 1);
    CHECK(result.top1 == 1);
    CHECK(result.same_as_teacher == 1);
}

TEST_CASE("a network that answers as its teacher does has no loss and no gradient, at any temperature") {
    for (const double temperature : {0.01, 1.0, 20.0}) {
        std::vector<float> logits = {100, -3, 2, 0.5F};
        const std::vector<float> teacher = logits;
        const BatchResult result =
            apply_objective({.label_weight = 1, .teacher_weight = 1, .temperature = temperature}, logits, 4,
                            {.labels = {}, .teacher_logits = teacher}, 1);
        CHECK(result.loss == 0);
        for (const float value : logits) CHECK(value == 0);
    }
}

}  // namespace vgg19::converter
