#include "converter/finetune/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "engine/model/map_size.h"
#include "engine/model/network.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

template <class Kind>
using Name = std::pair<std::string_view, Kind>;

constexpr std::array<Name<OptimizerKind>, 2> optimizers = {
    {{"adam", OptimizerKind::adam}, {"sgd", OptimizerKind::sgd}}};

constexpr std::array<Name<ScheduleKind>, 3> schedules = {
    {{"constant", ScheduleKind::constant}, {"cosine", ScheduleKind::cosine}, {"step", ScheduleKind::step}}};

constexpr std::array<Name<TrainedLayers>, 4> trained_layers = {{{"all", TrainedLayers::all},
                                                                {"dense", TrainedLayers::dense},
                                                                {"conv", TrainedLayers::convolutions},
                                                                {"head", TrainedLayers::head}}};

template <class Kind>
std::string_view name_in(std::span<const Name<Kind>> names, Kind kind) {
    return std::find_if(names.begin(), names.end(), [kind](const auto& name) { return name.second == kind; })
        ->first;
}

template <class Kind>
Kind kind_in(std::span<const Name<Kind>> names, std::string_view option, std::string_view found) {
    std::string expected;
    for (const auto& [name, kind] : names) {
        if (name == found) return kind;
        expected.append(expected.empty() ? "" : ", ").append(name);
    }
    throw Error(ErrorKind::usage, "--" + std::string(option) + ": expected one of " + expected + "; found '" +
                                      std::string(found) + "'");
}

/// The shortest text that parses back to the same number, without an exponent.
std::string plain_text(double value) {
    std::string text(400, '\0');  // the smallest double has 324 digits after the point
    char* const end = text.data() + text.size();
    text.resize(static_cast<std::size_t>(
        std::to_chars(text.data(), end, value, std::chars_format::fixed).ptr - text.data()));
    return text;
}

std::string value_text(const model::Json& value) {
    if (value.is_string()) return value.string();
    std::string text = value.dump();
    const bool has_exponent = value.is_number() && text.find('e') != std::string::npos;
    return has_exponent ? plain_text(value.number()) : text;
}

void require(bool condition, const std::string& expected) {
    if (!condition) throw Error(ErrorKind::usage, "fine-tuning: expected " + expected);
}

}  // namespace

std::string_view name_of(OptimizerKind kind) {
    return name_in<OptimizerKind>(optimizers, kind);
}

std::string_view name_of(ScheduleKind kind) {
    return name_in<ScheduleKind>(schedules, kind);
}

std::string_view name_of(TrainedLayers layers) {
    return name_in<TrainedLayers>(trained_layers, layers);
}

OptimizerKind optimizer_named(std::string_view name) {
    return kind_in<OptimizerKind>(optimizers, "optimizer", name);
}

ScheduleKind schedule_named(std::string_view name) {
    return kind_in<ScheduleKind>(schedules, "schedule", name);
}

TrainedLayers trained_layers_named(std::string_view name) {
    return kind_in<TrainedLayers>(trained_layers, "train", name);
}

double head_learning_rate(const FinetuneOptions& options) {
    constexpr double faster = 10;  // its weights are random, so that large steps lose nothing
    return options.head->learning_rate.value_or(faster * options.schedule.learning_rate);
}

Objective objective_of(const FinetuneOptions& options) {
    if (!options.distillation) return {};
    return {.label_weight = options.distillation->label_weight,
            .teacher_weight = 1,
            .temperature = options.distillation->temperature,
            .feature_weight = options.distillation->feature_weight};
}

void check_options(const FinetuneOptions& options) {
    require(options.input_size.empty() || model::is_input_size(options.input_size),
            "an input of " + model::pixels_text(model::smallest_input) + " to " +
                model::pixels_text(model::largest_input));
    require(options.epochs >= 1, "at least one epoch");
    require(options.batch >= 1, "at least one image a step");
    require(options.finds_rate ||
                (std::isfinite(options.schedule.learning_rate) && options.schedule.learning_rate > 0),
            "a learning rate above 0");
    require(!options.finds_rate || !options.head, "a learning rate to start with, not auto, for a new head");
    require(options.dropout >= 0 && options.dropout < 1, "a dropout from 0 to below 1");
    require(options.keep >= 0 && options.keep < 1, "a share to keep from 0 to below 1");
    require(options.average >= 0 && options.average <= 1, "a share of steps to average from 0 to 1");
    if (options.distillation) {
        const double temperature = options.distillation->temperature;
        require(std::isfinite(temperature) && temperature > 0, "a temperature above 0");
        const double label_weight = options.distillation->label_weight;
        require(std::isfinite(label_weight) && label_weight >= 0, "a weight of the labels of at least 0");
        const double feature_weight = options.distillation->feature_weight;
        require(std::isfinite(feature_weight) && feature_weight >= 0,
                "a weight of the features of at least 0");
    }
    require(options.optimizer.momentum >= 0 && options.optimizer.momentum < 1,
            "a momentum from 0 to below 1");
    require(std::isfinite(options.optimizer.weight_decay) && options.optimizer.weight_decay >= 0,
            "a weight decay of at least 0");
    if (!options.head) return;
    require(options.head->classes >= 1, "at least one class");
    require(options.head->names.empty() || options.head->names.size() == options.head->classes,
            "a name for each class, or none");
    const double rate = options.head->learning_rate.value_or(1);
    require(std::isfinite(rate) && rate > 0, "a learning rate above 0 for the new layer");
}

model::Json::Object options_json(const FinetuneOptions& options) {
    model::Json::Object json;
    if (options.head) {
        json.emplace_back("classes", std::uint64_t{options.head->classes});
        json.emplace_back("head-epochs", std::uint64_t{options.head->epochs});
        json.emplace_back("head-lr", head_learning_rate(options));
    }
    json.emplace_back("size", model::size_json(options.input_size));
    json.emplace_back("epochs", std::uint64_t{options.epochs});
    json.emplace_back("batch", std::uint64_t{options.batch});
    if (options.finds_rate) {
        json.emplace_back("lr", "auto");
    } else {
        json.emplace_back("lr", options.schedule.learning_rate);
    }
    json.emplace_back("schedule", name_of(options.schedule.kind));
    if (options.schedule.warmup) json.emplace_back("warmup", *options.schedule.warmup);
    json.emplace_back("optimizer", name_of(options.optimizer.kind));
    if (options.optimizer.kind == OptimizerKind::sgd) {
        json.emplace_back("momentum", options.optimizer.momentum);
    }
    json.emplace_back("weight-decay", options.optimizer.weight_decay);
    json.emplace_back("dropout", options.dropout);
    if (options.distillation) {
        json.emplace_back("temperature", options.distillation->temperature);
        json.emplace_back("label-weight", options.distillation->label_weight);
        json.emplace_back("feature-weight", options.distillation->feature_weight);
    }
    if (options.average > 0) json.emplace_back("average", options.average);
    if (options.keep > 0) json.emplace_back("keep", options.keep);
    json.emplace_back("train", name_of(options.trained));
    json.emplace_back("no-augmentation", !options.augmentation);
    json.emplace_back("seed", options.seed);
    return json;
}

std::string command_text(const std::string& name, const model::Json::Object& options) {
    std::string text = name;
    for (const auto& [option, value] : options) {
        if (value.is_bool() && !value.boolean()) continue;
        text.append(" --").append(option);
        if (!value.is_bool()) text.append(" ").append(value_text(value));
    }
    return text;
}

}  // namespace vgg19::converter
