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
    if (settings.schedule_threads != 0) json.set("schedule_threads", settings.schedule_threads);
    json.set("min_time_seconds", settings.min_time_seconds);
    json.set("rounds", settings.rounds);
    json.set("batch", std::uint64_t{settings.batch});
    json.set("convolution", settings.convolution);
    json.set("plan_file", settings.plan_file.empty() ? Json() : Json(settings.plan_file));
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
    json.set("arithmetic_share", layer.arithmetic_share);
    for (std::size_t level = 0; level < kernels::level_count; ++level) {
        constexpr const char* names[] = {"l2", "l3", "memory"};
        const std::string name = names[level];
        json.set(name + "_bytes", layer.level_bytes[level]);
        json.set(name + "_share", layer.level_share[level] ? Json(*layer.level_share[level]) : Json());
    }
    json.set("limit", layer.limit);
    if (const auto& parts = layer.parts) {
        json.set("input_transform_ms", parts->input_transform_ms);
        json.set("products_ms", parts->products_ms);
        json.set("output_transform_ms", parts->output_transform_ms);
        json.set("products_share", parts->products_share);
    }
    return json;
}

Json to_json(const ScalingEntry& entry) {
    Json json;
    json.set("threads", entry.threads);
    json.set("schedule_threads", entry.schedule_threads == 0 ? entry.threads : entry.schedule_threads);
    json.set("batch", std::uint64_t{entry.batch});
    json.set("median_ms", entry.latency.median_ms);
    json.set("min_ms", entry.latency.min_ms);
    json.set("p90_ms", entry.latency.p90_ms);
    json.set("p99_ms", entry.latency.p99_ms);
    json.set("runs", std::uint64_t{entry.latency.runs});
    json.set("images_per_second", entry.images_per_second);
    json.set("speedup", entry.speedup ? Json(*entry.speedup) : Json());
    json.set("gain", entry.gain);
    json.set("efficiency", entry.efficiency);
    json.set("peak_rss_bytes", entry.peak_rss_bytes);
    json.set("same_bits", entry.same_bits);
    return json;
}

Json to_json(const PeerEngine& engine) {
    Json json;
    json.set("engine", engine.name);
    json.set("min_ms", engine.min_ms);
    json.set("median_ms", engine.median_ms);
    json.set("ready_s", engine.ready_seconds);
    json.set("peak_rss_bytes", engine.peak_rss_bytes);
    return json;
}

Json to_json(const PeerRatio& ratio) {
    Json json;
    json.set("min", ratio.min);
    json.set("median", ratio.median);
    return json;
}

Json to_json(const ComparedPeer& peer) {
    Json json = to_json(peer.engine);
    json.set("ratio", to_json(peer.ratio));
    json.set("same_run_ratio", peer.same_run_ratio ? to_json(*peer.same_run_ratio) : Json());
    return json;
}

Json to_json(const PeerComparison& comparison) {
    Json json;
    json.set("variant", comparison.variant);
    json.set("input_size", model::size_json(comparison.input_size));
    json.set("own_row", comparison.own_row.empty() ? Json() : Json(comparison.own_row));
    json.set("peers", array_of(comparison.peers, [](const ComparedPeer& each) { return to_json(each); }));
    return json;
}

Json to_json(const Peers& peers) {
    Json json;
    json.set("file", peers.file.path.string());
    json.set("file_written", peers.file.written);
    json.set("comparisons",
             array_of(peers.comparisons, [](const PeerComparison& each) { return to_json(each); }));
    json.set("not_compared", array_of(peers.others, [](const UncomparedPeer& each) {
                 return to_json(each.engine).set("reason", each.reason);
             }));
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
    json.set("ready_s", variant.ready_seconds);
    json.set("top3",
             array_of(variant.top3, [](const ReportedPrediction& each) { return bench::to_json(each); }));
    json.set("agreement", variant.agreement ? bench::to_json(*variant.agreement) : Json());
    if (variant.profile) {
        json.set("profile",
                 array_of(variant.profile->layers, [](const LayerTime& each) { return to_json(each); }));
        json.set("profile_layers_ms", variant.profile->layers_ms);
        json.set("profile_end_to_end_ms", variant.profile->end_to_end_ms);
    }
    if (!variant.scaling.empty()) {
        json.set("scaling",
                 array_of(variant.scaling, [](const ScalingEntry& each) { return to_json(each); }));
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
    if (report.peers) json.set("peers", to_json(*report.peers));
    json.set("notes", Json::Array(report.notes.begin(), report.notes.end()));
    return json.dump(2) + '\n';
}

}  // namespace vgg19::bench
