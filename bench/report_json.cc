#include "bench/answer_json.h"
#include "bench/report.h"
#include "engine/model/map_size.h"

namespace vgg19::bench {

namespace {

using model::Json;

template <class Item, class Convert>
Json array_of(const std::vector<Item>& items, const Convert& convert) {
    Json::Array array;
    for (const Item& item : items) array.push_back(convert(item));
    return array;
}

Json to_json(const Settings& settings) {
    Json json;
    json.set("threads", settings.threads);
    json.set("min_time_seconds", settings.min_time_seconds);
    json.set("rounds", settings.rounds);
    json.set("batch", std::uint64_t{settings.batch});
    json.set("convolution", settings.convolution);
    json.set("weights", settings.weights);
    json.set("image", settings.image);
    return json;
}

Json to_json(const LayerTime& layer) {
    Json json;
    json.set("layer", layer.layer);
    json.set("kernel", layer.kernel);
    json.set("median_ms", layer.median_ms);
    json.set("gflops", layer.gflops);
    json.set("executed_gflops", layer.executed_gflops);
    json.set("gb_per_second", layer.gb_per_second);
    json.set("share_of_peak", layer.share_of_peak);
    return json;
}

Json to_json(const VariantReport& variant) {
    Json json;
    json.set("id", variant.id);
    json.set("input_size", model::size_json(variant.input_size));
    json.set("bytes", variant.bytes);
    json.set("active_parameters", variant.active_parameters);
    json.set("gmac", variant.gmac);
    json.set("median_ms", variant.latency.median_ms);
    json.set("min_ms", variant.latency.min_ms);
    json.set("p90_ms", variant.latency.p90_ms);
    json.set("p99_ms", variant.latency.p99_ms);
    json.set("runs", std::uint64_t{variant.latency.runs});
    json.set("images_per_second", variant.images_per_second);
    json.set("speedup", variant.speedup ? Json(*variant.speedup) : Json());
    json.set("peak_rss_bytes", variant.peak_rss_bytes);
    json.set("top3",
             array_of(variant.top3, [](const ReportedPrediction& each) { return bench::to_json(each); }));
    json.set("agreement", variant.agreement ? bench::to_json(*variant.agreement) : Json());
    if (variant.profile) {
        json.set("profile",
                 array_of(variant.profile->layers, [](const LayerTime& each) { return to_json(each); }));
        json.set("profile_layers_ms", variant.profile->layers_ms);
        json.set("profile_end_to_end_ms", variant.profile->end_to_end_ms);
    }
    return json;
}

}  // namespace

std::string to_json_text(const Report& report) {
    Json json;
    json.set("schema_version", report_schema_version);
    json.set("machine", to_json(report.machine));
    json.set("build", to_json(report.build));
    json.set("settings", to_json(report.settings));
    if (report.peaks) json.set("peaks", to_json(*report.peaks));
    json.set("variants", array_of(report.variants, [](const VariantReport& each) { return to_json(each); }));
    json.set("notes", Json::Array(report.notes.begin(), report.notes.end()));
    return json.dump(2) + '\n';
}

}  // namespace vgg19::bench
