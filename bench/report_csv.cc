// RFC 4180: a header, then one line per variant, or per variant and setting where several were measured.
// Numbers are plain; missing values are empty. What was not asked for has no columns.
#include <algorithm>

#include "bench/report.h"
#include "bench/table.h"
#include "engine/model/number_text.h"

namespace vgg19::bench {

namespace {

/// Columns in a fixed order; a row's cells are in the same.
std::vector<std::string> heads(const Report& report) {
    std::vector<std::string> names = {
        "id",     "input_size", "bytes", "active_parameters", "gmac",    "median_ms",     "min_ms",
        "p90_ms", "p99_ms",     "runs",  "images_per_second", "speedup", "peak_rss_bytes"};
    for (const std::string place : {"top1", "top2", "top3"}) {
        for (const char* part : {"_class", "_synset", "_label", "_probability"}) {
            names.push_back(place + part);
        }
    }
    names.insert(names.end(), {"agreement_top1", "agreement_top5", "agreement_cosine"});
    if (has_scaling(report)) {
        names.insert(names.end(),
                     {"threads", "schedule_threads", "batch", "gain", "efficiency", "same_bits"});
    }
    if (report.peers) {
        names.insert(names.end(), {"ready_s", "peer", "peer_min_ms", "peer_median_ms", "peer_ready_s",
                                   "peer_peak_rss_bytes", "peer_ratio_min", "peer_ratio_median",
                                   "peer_same_run_ratio_min", "peer_same_run_ratio_median"});
    }
    return names;
}

std::vector<std::string> cells(const VariantReport& variant) {
    const Latency& latency = variant.latency;
    std::vector<std::string> row = {variant.id,
                                    to_string(variant.input_size),
                                    std::to_string(variant.bytes),
                                    std::to_string(variant.active_parameters),
                                    fixed(variant.gmac, 6),
                                    fixed(latency.median_ms, 6),
                                    fixed(latency.min_ms, 6),
                                    fixed(latency.p90_ms, 6),
                                    fixed(latency.p99_ms, 6),
                                    std::to_string(latency.runs),
                                    fixed(variant.images_per_second, 6),
                                    variant.speedup ? fixed(*variant.speedup, 6) : "",
                                    std::to_string(variant.peak_rss_bytes)};
    for (std::size_t place = 0; place < 3; ++place) {
        if (place >= variant.top3.size()) {
            row.insert(row.end(), 4, "");
            continue;
        }
        const ReportedPrediction& prediction = variant.top3[place];
        row.insert(row.end(), {std::to_string(prediction.class_index), prediction.synset, prediction.label,
                               fixed(prediction.probability, 6)});
    }
    if (const auto& agreement = variant.agreement) {
        row.insert(row.end(),
                   {agreement->top1 ? "1" : "0", fixed(agreement->top5, 2), fixed(agreement->cosine, 9)});
    } else {
        row.insert(row.end(), 3, "");
    }
    return row;
}

std::vector<std::string> scaling_cells(const ScalingEntry& entry) {
    const int schedule = entry.schedule_threads == 0 ? entry.threads : entry.schedule_threads;
    return {std::to_string(entry.threads), std::to_string(schedule),   std::to_string(entry.batch),
            fixed(entry.gain, 6),          fixed(entry.efficiency, 6), entry.same_bits ? "1" : "0"};
}

/// The variant beside its fastest peer.
std::vector<std::string> peer_cells(const Peers& peers, const VariantReport& variant) {
    const auto found = std::find_if(peers.comparisons.begin(), peers.comparisons.end(),
                                    [&](const PeerComparison& each) { return each.variant == variant.id; });
    if (found == peers.comparisons.end()) {
        std::vector<std::string> cells(10);
        cells.front() = fixed(variant.ready_seconds, 6);
        return cells;
    }
    const auto& [engine, ratio, same_run] = found->peers.front();
    return {fixed(variant.ready_seconds, 6),
            engine.name,
            fixed(engine.min_ms, 6),
            fixed(engine.median_ms, 6),
            fixed(engine.ready_seconds, 6),
            std::to_string(engine.peak_rss_bytes),
            fixed(ratio.min, 6),
            fixed(ratio.median, 6),
            same_run ? fixed(same_run->min, 6) : "",
            same_run ? fixed(same_run->median, 6) : ""};
}

/// The variant as it was measured at one of several settings.
VariantReport at(const ScalingEntry& entry, VariantReport variant) {
    variant.latency = entry.latency;
    variant.images_per_second = entry.images_per_second;
    variant.speedup = entry.speedup;
    variant.peak_rss_bytes = entry.peak_rss_bytes;
    return variant;
}

std::vector<std::string> joined(std::vector<std::string> row, const std::vector<std::string>& more) {
    row.insert(row.end(), more.begin(), more.end());
    return row;
}

}  // namespace

std::string to_csv(const Report& report) {
    Table table(heads(report));
    // Peers are compared with a variant's first setting; the other rows leave their cells empty.
    const auto add = [&](std::vector<std::string> row) {
        row.resize(table.columns());
        table.add(std::move(row));
    };
    for (const VariantReport& variant : report.variants) {
        const auto peers = report.peers ? peer_cells(*report.peers, variant) : std::vector<std::string>();
        if (variant.scaling.empty()) add(joined(cells(variant), peers));
        for (const ScalingEntry& entry : variant.scaling) {
            const bool is_first = &entry == variant.scaling.data();
            std::vector<std::string> row = joined(cells(at(entry, variant)), scaling_cells(entry));
            add(is_first ? joined(std::move(row), peers) : std::move(row));
        }
    }
    return table.csv();
}

}  // namespace vgg19::bench
