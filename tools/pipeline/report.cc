#include "tools/pipeline/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "engine/model/foreign_text.h"
#include "engine/model/json_file.h"
#include "engine/model/mapped_file.h"
#include "engine/model/model_file.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using model::Json;

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

Json without(const Json& object, std::initializer_list<std::string_view> keys) {
    Json result{Json::Object{}};
    for (const auto& [key, value] : object.object()) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) result.set(key, value);
    }
    return result;
}

Json strings(const std::vector<std::string>& values) {
    return Json::Array(values.begin(), values.end());
}

Json variant_report(const Json& measured, const PipelineVariant& variant) {
    const Json evaluation = model::read_json(variant.evaluation);
    Json json = measured;
    json.set("accuracy", without(evaluation, {"model", "data", "reference"}));
    const Json* const reference = evaluation.find("reference");
    json.set("test_agreement",
             reference == nullptr ? Json() : without(*reference, {"model", "smallest_cosine_image"}));
    json.set("file", variant.file.string());
    json.set("lineage", strings(model::ModelFile::open(variant.file).description().lineage));
    return json;
}

Json variants_report(const Json& bench, const PipelinePlan& plan) {
    Json variants{Json::Array{}};
    const Json* const measured = bench.find("variants");
    if (measured == nullptr) {
        throw Error(ErrorKind::bad_input, plan.bench.string() + ": expected \"variants\", found none");
    }
    for (const PipelineVariant& variant : plan.variants) {
        const auto found =
            std::find_if(measured->array().begin(), measured->array().end(), [&variant](const Json& each) {
                const Json* const id = each.find("id");
                return id != nullptr && id->is_string() && id->string() == variant.id;
            });
        if (found == measured->array().end()) {
            throw Error(ErrorKind::bad_input,
                        plan.bench.string() + ": expected the variant " + variant.id + ", found none");
        }
        variants.push(variant_report(*found, variant));
    }
    return variants;
}

Json steps_report(const PipelinePlan& plan, const StepLog& log) {
    Json steps{Json::Array{}};
    for (const Step& step : plan.steps) {
        std::string command = command_text(step.words);
        if (step.prints_output) command += " > " + shell_word(step.output.string());
        Json json;
        json.set("id", step.id);
        json.set("command", command);
        json.set("seconds", log.seconds(step.id));
        steps.push(std::move(json));
    }
    return steps;
}

double parse_number(std::string_view word, const std::string& place) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value)) {
        throw Error(ErrorKind::bad_input,
                    place + ": expected a finite number, found " + model::in_quotes(word));
    }
    return value;
}

/// The positions of a sensitivity table's required columns.
struct Columns {
    Columns(std::string_view head, const std::string& name)
        : layer(find(head, "layer", name)),
          ratio(find(head, "ratio", name)),
          error(find(head, "relative_l2", name)) {}

    std::size_t layer;
    std::size_t ratio;
    std::size_t error;
    std::size_t last() const { return std::max({layer, ratio, error}); }

  private:
    static std::size_t find(std::string_view head, std::string_view wanted, const std::string& name) {
        const std::vector<std::string_view> names = split(head, ',');
        const auto found = std::find(names.begin(), names.end(), wanted);
        if (found == names.end()) {
            throw Error(ErrorKind::bad_input, name + ": line 1: expected a column \"" + std::string(wanted) +
                                                  "\", found " + model::in_quotes(head));
        }
        return static_cast<std::size_t>(found - names.begin());
    }
};

}  // namespace

Json pipeline_report(const PipelineOptions& options, const PipelinePlan& plan, const StepLog& log) {
    const Json bench = model::read_json(plan.bench);
    Json data;
    data.set("weights", options.weights.string());
    data.set("train", options.data.string());
    data.set("test", options.test.string());

    Json report;
    report.set("schema_version", pipeline_schema_version);
    for (const auto& [key, value] : bench.object()) {
        if (key == "schema_version") report.set("bench_schema_version", value);
        if (key != "schema_version" && key != "variants") report.set(key, value);
    }
    report.set("data", std::move(data));
    report.set("variants", variants_report(bench, plan));
    report.set("steps", steps_report(plan, log));
    Json sensitivity{Json::Array{}};
    if (plan.sensitivity) {
        const model::MappedFile file(*plan.sensitivity);
        model::require_text_size(file);
        sensitivity = read_sensitivity(model::as_text(file.bytes()), plan.sensitivity->string());
    }
    report.set("sensitivity", std::move(sensitivity));
    return report;
}

Json read_sensitivity(std::string_view text, const std::string& name) {
    std::vector<std::string_view> lines = split(text, '\n');
    const Columns columns(lines.front(), name);
    std::vector<std::pair<std::string, Json>> layers;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].empty()) continue;
        const std::string place = name + ": line " + std::to_string(i + 1);
        const std::vector<std::string_view> words = split(lines[i], ',');
        if (words.size() <= columns.last()) {
            throw Error(ErrorKind::bad_input, place + ": expected " + std::to_string(columns.last() + 1) +
                                                  " columns, found " + std::to_string(words.size()));
        }
        const std::string layer(words[columns.layer]);
        if (layers.empty() || layers.back().first != layer) layers.emplace_back(layer, Json(Json::Array{}));
        Json point;
        point.set("ratio", parse_number(words[columns.ratio], place));
        point.set("relative_l2", parse_number(words[columns.error], place));
        layers.back().second.push(std::move(point));
    }
    Json curves{Json::Array{}};
    for (auto& [layer, points] : layers) {
        Json curve;
        curve.set("layer", layer);
        curve.set("points", std::move(points));
        curves.push(std::move(curve));
    }
    return curves;
}

}  // namespace vgg19::tools
