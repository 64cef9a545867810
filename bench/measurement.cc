#include "bench/measurement.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "bench/agreement.h"
#include "bench/bench_image.h"
#include "bench/profile.h"
#include "bench/progress.h"
#include "bench/worker_process.h"
#include "converter/variants/recipes.h"
#include "engine/model/model_access.h"
#include "engine/program/expected_run.h"
#include "engine/program/plan.h"
#include "kernels/common/thread_limit.h"
#include "vgg19/session.h"

namespace vgg19::bench {

namespace {

using converter::Variant;

constexpr std::size_t reported_classes = 3;

std::vector<ReportedPrediction> reported(std::span<const Prediction> predictions) {
    std::vector<ReportedPrediction> result;
    for (const Prediction& prediction : predictions.first(std::min(reported_classes, predictions.size()))) {
        result.push_back({.class_index = prediction.class_index,
                          .synset = std::string(prediction.synset),
                          .label = std::string(prediction.label),
                          .probability = double{prediction.probability}});
    }
    return result;
}

/// One warm-up run; its time determines how many runs fit into the round.
void run_round(WorkerProcess& worker, double round_seconds, std::vector<double>& seconds) {
    constexpr double most_runs = 100'000;
    const double warm_up = std::max(worker.run(1).front(), 1e-9);
    const double runs = std::clamp(std::round(round_seconds / warm_up), 1.0, most_runs);
    const std::vector<double> times = worker.run(static_cast<std::size_t>(runs));
    seconds.insert(seconds.end(), times.begin(), times.end());
}

/// A variant's process at one setting, and the times of its runs.
struct Measured {
    WorkerProcess worker;
    std::vector<double> seconds;
};

std::string worker_name(const Variant& variant, const Options& setting, bool with_setting) {
    if (!with_setting) return variant.id;
    const std::string schedule = setting.schedule_threads == 0
                                     ? ""
                                     : " with the schedule for " + std::to_string(setting.schedule_threads);
    return variant.id + " (" + std::to_string(setting.threads) + " threads" + schedule + ", batch " +
           std::to_string(setting.batch) + ')';
}

/// A variant's entries, without speed-ups over the baseline.
std::vector<ScalingEntry> scaling_of(std::span<Measured> measured, const std::vector<Options>& settings) {
    std::vector<ScalingEntry> entries;
    const std::string bits = measured.size() > 1 ? measured.front().worker.logits_hash() : "";
    for (std::size_t i = 0; i < measured.size(); ++i) {
        ScalingEntry entry{.threads = settings[i].threads,
                           .schedule_threads = settings[i].schedule_threads,
                           .batch = settings[i].batch,
                           .latency = summarise(measured[i].seconds)};
        entry.images_per_second = static_cast<double>(entry.batch) / (entry.latency.median_ms * 1e-3);
        const double first = entries.empty() ? entry.images_per_second : entries.front().images_per_second;
        entry.gain = entry.images_per_second / first;
        entry.efficiency = entry.gain * settings.front().threads / entry.threads;
        entry.peak_rss_bytes = measured[i].worker.peak_rss_bytes();
        entry.same_bits = i == 0 || measured[i].worker.logits_hash() == bits;
        entries.push_back(entry);
    }
    return entries;
}

/// Relative to the baseline at the same setting; none for variants before the baseline.
void add_speedups(std::vector<VariantReport>& reports) {
    const VariantReport* baseline = nullptr;
    for (VariantReport& report : reports) {
        if (report.id == converter::baseline_recipe().id) baseline = &report;
        if (baseline == nullptr) continue;
        for (std::size_t i = 0; i < report.scaling.size(); ++i) {
            report.scaling[i].speedup =
                baseline->scaling[i].latency.median_ms / report.scaling[i].latency.median_ms;
        }
    }
}

}  // namespace

std::vector<std::string> worker_words(const Variant& variant, const Options& options,
                                      const std::vector<std::string>& program) {
    std::vector<std::string> words = program;
    words.insert(words.end(),
                 {"--worker", variant.file.string(), "--threads", std::to_string(options.threads), "--conv",
                  options.convolution, "--batch", std::to_string(options.batch), "--plan",
                  options.plan_file.empty() ? "none" : options.plan_file});
    if (options.schedule_threads != 0) {
        words.insert(words.end(), {"--schedule-threads", std::to_string(options.schedule_threads)});
    }
    if (!options.isa.empty()) words.insert(words.end(), {"--isa", options.isa});
    if (!variant.input_size.empty()) words.insert(words.end(), {"--size", to_string(variant.input_size)});
    if (options.image) words.insert(words.end(), {"--image", options.image->string()});
    return words;
}

std::vector<VariantReport> examine(const std::vector<Variant>& variants, const Options& options,
                                   const Image& image, const std::optional<Peaks>& peaks) {
    const kernels::ThreadLimit limit(options.threads);
    std::vector<VariantReport> reports;
    std::optional<Answer> baseline;
    std::optional<Model> baseline_model;
    for (const Variant& variant : variants) {
        const Model model = model::map_model(variant.file);
        Session session(model, session_options(options, variant.input_size));
        std::vector<float> input(3 * session.input_size().pixels());
        session.preprocess(image.view(), input);
        fill_batch(input, options.batch);
        std::vector<float> logits(options.batch * model.classes());
        session.run(input, logits);
        Answer result{.logits = {logits.data(), logits.data() + model.classes()}, .top = {}};
        result.top = session.predictions(result.logits, std::min(agreeing_classes, model.classes()));
        if (variant.id == converter::baseline_recipe().id) {
            baseline = result;
            baseline_model = model;
        }

        VariantReport report{.id = variant.id,
                             .input_size = session.input_size(),
                             .bytes = model.file_bytes(),
                             .active_parameters = model.active_parameters(),
                             .gmac = static_cast<double>(model.macs(session.input_size())) * 1e-9};
        report.top3 = reported(result.top);
        if (baseline && have_same_classes(*baseline_model, model)) {
            report.agreement = agreement_with(*baseline, result);
        }
        if (peaks) {
            const Plan plan = make_plan(model::file_of(model), session_options(options, variant.input_size));
            report.profile = profile(session, options.threads, expected_run(plan), input, logits, *peaks);
        }
        reports.push_back(std::move(report));
    }
    return reports;
}

void measure(const std::vector<Variant>& variants, const Options& options,
             const std::vector<std::string>& program, std::vector<VariantReport>& reports) {
    const std::vector<Options> settings = compared_settings(options);
    std::vector<Measured> measured;  // [variant][setting]
    for (const Variant& variant : variants) {
        for (const Options& setting : settings) {
            measured.push_back({.worker = {worker_name(variant, setting, settings.size() > 1),
                                           worker_words(variant, setting, program)},
                                .seconds = {}});
        }
    }
    for (int round = 1; round <= measurement_rounds; ++round) {
        say("round " + std::to_string(round) + " of " + std::to_string(measurement_rounds));
        for (Measured& each : measured) {
            run_round(each.worker, options.min_time_seconds / measurement_rounds, each.seconds);
        }
    }

    for (std::size_t i = 0; i < reports.size(); ++i) {
        const auto entries = std::span(measured).subspan(i * settings.size(), settings.size());
        VariantReport& report = reports[i];
        report.ready_seconds = entries.front().worker.ready_seconds();
        report.scaling = scaling_of(entries, settings);
    }
    add_speedups(reports);
    for (VariantReport& report : reports) {
        const ScalingEntry& first = report.scaling.front();
        report.latency = first.latency;
        report.images_per_second = first.images_per_second;
        report.speedup = first.speedup;
        report.peak_rss_bytes = first.peak_rss_bytes;
        if (settings.size() == 1) report.scaling.clear();
    }
}

}  // namespace vgg19::bench
