#include "tools/compress/result.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/model/number_text.h"
#include "tools/pipeline/steps.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

using model::Json;

constexpr double points = 100;

std::string points_text(double share) {
    return fixed(points * share, 2);
}

/// As --max-drop takes it: without the last digits that come from dividing by 100.
std::string plain_points(double share) {
    constexpr double digits = 1e9;
    return shortest_text(std::round(points * share * digits) / digits);
}

Json counts_json(const converter::PairedCounts& counts) {
    const converter::Interval interval = converter::drop_interval(counts);
    Json json;
    json.set("images", counts.images);
    json.set("only_model_right", counts.only_model_right);
    json.set("only_reference_right", counts.only_reference_right);
    json.set("drop", converter::drop(counts));
    json.set("interval", Json::Array{interval.low, interval.high});
    json.set("upper_bound", converter::drop_upper_bound(counts));
    return json;
}

Json optional_json(const std::optional<double>& number) {
    return number ? Json(*number) : Json();
}

Json trial_json(const Trial& trial) {
    Json json;
    json.set("number", std::uint64_t{trial.number});
    json.set("purpose", trial.purpose);
    json.set("recipe", recipe_text(trial.recipe));
    json.set("size", trial.size);
    json.set("reduction", trial.reduction);
    json.set("predicted_drop", trial.predicted_drop);
    json.set("held_out", counts_json(trial.held_out));
    json.set("expected_ms", trial.cost.ms);
    json.set("mb", trial.cost.mb);
    json.set("seconds", trial.seconds);
    return json;
}

Json promise_json(const Promise& promise) {
    Json json;
    json.set("max_drop", promise.max_drop);
    json.set("max_ms", optional_json(promise.max_ms));
    json.set("max_mb", optional_json(promise.max_mb));
    return json;
}

Json trials_json(const Search& search) {
    Json trials{Json::Array{}};
    for (const Trial& trial : search.trials()) trials.push(trial_json(trial));
    return trials;
}

Json model_json(const CompressOptions& options, const JudgedModel& model) {
    const auto needed = converter::images_needed(model.test, options.promise.max_drop);
    Json json;
    json.set("id", model.id);
    json.set("trial", std::uint64_t{model.trial.number});
    json.set("recipe", recipe_text(model.trial.recipe));
    json.set("command", recipe_command(options, model.trial));
    json.set("claim", claim_name(model.claim));
    json.set("held_out", counts_json(model.trial.held_out));
    json.set("test", counts_json(model.test));
    json.set("images_needed", needed ? Json(*needed) : Json());
    json.set("expected_ms", model.trial.cost.ms);
    json.set("median_ms", model.measured_ms);
    json.set("mb", model.trial.cost.mb);
    return json;
}

std::string described(const JudgedModel& model) {
    return model.id + " (drop " + points_text(converter::drop(model.test)) + " points, at most " +
           points_text(converter::drop_upper_bound(model.test)) + " by its 95 % bound on " +
           grouped(static_cast<std::uint64_t>(model.test.images)) + " images; " +
           significant(model.measured_ms, 3) + " ms, " + significant(model.trial.cost.mb, 3) + " MB)";
}

/// Without a model that keeps the promise: the one that comes nearest, and why it fails.
std::string what_binds(const CompressResult& result, const Promise& promise) {
    const auto excess = [&promise](const JudgedModel& model) {
        double most = promise.max_ms ? model.measured_ms / *promise.max_ms : 0;
        if (promise.max_mb) most = std::max(most, model.trial.cost.mb / *promise.max_mb);
        return std::max(most, 1.0);
    };
    const auto nearest = std::min_element(
        result.models.begin(), result.models.end(), [&](const JudgedModel& a, const JudgedModel& b) {
            return std::tuple(excess(a), converter::drop_upper_bound(a.test)) <
                   std::tuple(excess(b), converter::drop_upper_bound(b.test));
        });
    std::string text = "nearest is " + described(*nearest) + "; ";
    if (promise.max_ms && nearest->measured_ms > *promise.max_ms) {
        return text + "--max-ms " + shortest_text(*promise.max_ms) + " binds";
    }
    if (promise.max_mb && nearest->trial.cost.mb > *promise.max_mb) {
        return text + "--max-mb " + shortest_text(*promise.max_mb) + " binds";
    }
    const auto needed = converter::images_needed(nearest->test, promise.max_drop);
    if (needed) {
        return text + "the number of test images binds: with these proportions it would take " +
               grouped(*needed) + " to show at most " + points_text(promise.max_drop) + " points";
    }
    return text + "--max-drop " + points_text(promise.max_drop) + " binds: the drop itself is as large";
}

}  // namespace

std::optional<std::size_t> marked_model(const std::vector<JudgedModel>& models) {
    std::optional<std::size_t> marked;
    for (std::size_t i = 0; i < models.size(); ++i) {
        if (models[i].claim != Claim::kept) continue;
        const auto cost = [&models](std::size_t at) {
            return std::tuple(models[at].measured_ms, models[at].trial.cost.mb);
        };
        if (!marked || cost(i) < cost(*marked)) marked = i;
    }
    return marked;
}

std::string verdict(const CompressResult& result, const Promise& promise) {
    if (result.marked) return "The promise is kept by " + described(result.models[*result.marked]);
    return "No model keeps the promise: " + what_binds(result, promise);
}

std::string recipe_command(const CompressOptions& options, const Trial& trial) {
    std::vector<std::string> words = {"compress", options.weights.string(), "--data", options.data.string(),
                                      "--test",   options.test.string(),    "-o",     "DIR"};
    const Promise& promise = options.promise;
    pass(words, "--max-drop", plain_points(promise.max_drop));
    if (promise.max_ms) pass(words, "--max-ms", shortest_text(*promise.max_ms));
    if (promise.max_mb) pass(words, "--max-mb", shortest_text(*promise.max_mb));
    pass(words, "--test-images", options.test_images);
    pass(words, "--threads", options.threads);
    pass_label_options(words, options.reading);
    pass_image_options(words, options.reading);
    std::string sizes = options.sizes.front();
    if (!trial.size.empty()) sizes += ',' + trial.size;
    pass(words, "--size", sizes);
    pass(words, "--bench-size", options.bench_size);
    pass(words, "--hold-out", std::to_string(options.hold_out));
    pass(words, "--recipe", recipe_text(trial.recipe));
    return command_text(words);
}

Json search_json(const CompressOptions& options, const Search& search) {
    Json json;
    json.set("schema_version", 1);
    json.set("promise", promise_json(options.promise));
    json.set("trials", trials_json(search));
    Json expected{Json::Array{}};
    for (const double share : {0.75, 0.5, 0.35, 0.25, 0.18, 0.125}) {
        const double reduction = -std::log(share);
        Json entry;
        entry.set("share", share);
        entry.set("drop", search.prediction().drop(reduction));
        entry.set("differing", search.prediction().differing(reduction));
        expected.push(std::move(entry));
    }
    json.set("expected", std::move(expected));
    return json;
}

Json result_json(const CompressOptions& options, const Search& search, const CompressResult& result) {
    Json promise = promise_json(options.promise);
    promise.set("kept", result.marked.has_value());
    promise.set("model", result.marked ? Json(result.models[*result.marked].id) : Json());
    promise.set("verdict", verdict(result, options.promise));
    Json models{Json::Array{}};
    for (const JudgedModel& model : result.models) models.push(model_json(options, model));
    Json json;
    json.set("promise", std::move(promise));
    json.set("order", Json::Array(result.order.begin(), result.order.end()));
    json.set("models", std::move(models));
    json.set("trials", trials_json(search));
    return json;
}

}  // namespace vgg19::tools
