// The two formats for people, table and Markdown, made from the same tables.
#include <algorithm>
#include <sstream>

#include "bench/report.h"
#include "bench/table.h"
#include "engine/model/number_text.h"

namespace vgg19::bench {

namespace {

constexpr const char* none = "-";

std::string in_megabytes(std::uint64_t bytes) {
    return fixed(static_cast<double>(bytes) * 1e-6, 1);
}

Table variants_table(const Report& report) {
    Table table({"variant", "size", "file MB", "parameters M", "GMAC", "median ms", "min ms", "p90 ms",
                 "p99 ms", "runs", "images/s", "speed-up", "peak MB", "same top-1", "same top-5", "cosine"});
    for (const VariantReport& variant : report.variants) {
        const Latency& latency = variant.latency;
        std::vector<std::string> row = {variant.id,
                                        to_string(variant.input_size),
                                        in_megabytes(variant.bytes),
                                        fixed(static_cast<double>(variant.active_parameters) * 1e-6, 2),
                                        fixed(variant.gmac, 2),
                                        fixed(latency.median_ms, 2),
                                        fixed(latency.min_ms, 2),
                                        fixed(latency.p90_ms, 2),
                                        fixed(latency.p99_ms, 2),
                                        std::to_string(latency.runs),
                                        fixed(variant.images_per_second, 2),
                                        variant.speedup ? fixed(*variant.speedup, 2) : none,
                                        in_megabytes(variant.peak_rss_bytes)};
        if (const auto& agreement = variant.agreement) {
            row.insert(row.end(), {agreement->top1 ? "yes" : "no", fixed(agreement->top5 * 100, 0) + " %",
                                   fixed(agreement->cosine, 5)});
        } else {
            row.insert(row.end(), 3, none);
        }
        table.add(std::move(row));
    }
    return table;
}

std::string percent(double share) {
    return fixed(share * 100, 0);
}

Table profile_table(const Profile& profile) {
    Table table({"layer", "ms", "transforms ms", "products ms", "direct GFLOP/s", "executed GFLOP/s",
                 "products %", "arithmetic %", "L2 %", "L3 %", "memory %", "limit", "kernel"});
    for (const LayerTime& layer : profile.layers) {
        const auto& parts = layer.parts;
        std::vector<std::string> row = {
            layer.layer,
            fixed(layer.median_ms, 3),
            parts ? fixed(parts->input_transform_ms + parts->output_transform_ms, 3) : none,
            parts ? fixed(parts->products_ms, 3) : none,
            fixed(layer.gflops, 1),
            fixed(layer.executed_gflops, 1),
            parts ? percent(parts->products_share) : none,
            percent(layer.arithmetic_share)};
        for (const auto& share : layer.level_share) row.push_back(share ? percent(*share) : none);
        row.insert(row.end(), {layer.limit, layer.kernel});
        table.add(std::move(row));
    }
    for (const auto& [name, milliseconds] :
         {std::pair{"sum of the layers", profile.layers_ms}, {"end to end", profile.end_to_end_ms}}) {
        std::vector<std::string> row = {name, fixed(milliseconds, 3)};
        row.resize(table.columns(), none);
        table.add(std::move(row));
    }
    return table;
}

Table scaling_table(const Report& report) {
    Table table({"variant", "threads", "schedule for", "batch", "median ms", "min ms", "images/s", "speed-up",
                 "gain", "efficiency %", "peak MB", "same bits"});
    for (const VariantReport& variant : report.variants) {
        for (const ScalingEntry& entry : variant.scaling) {
            const int schedule = entry.schedule_threads == 0 ? entry.threads : entry.schedule_threads;
            table.add({variant.id, std::to_string(entry.threads), std::to_string(schedule),
                       std::to_string(entry.batch), fixed(entry.latency.median_ms, 2),
                       fixed(entry.latency.min_ms, 2), fixed(entry.images_per_second, 2),
                       entry.speedup ? fixed(*entry.speedup, 2) : none, fixed(entry.gain, 2),
                       fixed(entry.efficiency * 100, 0), in_megabytes(entry.peak_rss_bytes),
                       entry.same_bits ? "yes" : "no"});
        }
    }
    return table;
}

const VariantReport& variant_of(const Report& report, const PeerComparison& comparison) {
    return *std::find_if(report.variants.begin(), report.variants.end(),
                         [&](const VariantReport& variant) { return variant.id == comparison.variant; });
}

/// Each variant, and below it the peers that do the same work, with our time over theirs.
Table peers_table(const Report& report) {
    Table table({"variant or peer", "size", "min ms", "median ms", "ready s", "peak MB", "ratio of min",
                 "of median", "same run: of min", "of median"});
    const auto add = [&](const std::string& name, MapSize size, const PeerEngine& figures,
                         const PeerRatio* ratio, const PeerRatio* same_run) {
        table.add({name, to_string(size), fixed(figures.min_ms, 2), fixed(figures.median_ms, 2),
                   fixed(figures.ready_seconds, 2), in_megabytes(figures.peak_rss_bytes),
                   ratio != nullptr ? fixed(ratio->min, 3) : none,
                   ratio != nullptr ? fixed(ratio->median, 3) : none,
                   same_run != nullptr ? fixed(same_run->min, 3) : none,
                   same_run != nullptr ? fixed(same_run->median, 3) : none});
    };
    for (const PeerComparison& comparison : report.peers->comparisons) {
        const VariantReport& variant = variant_of(report, comparison);
        add(variant.id, variant.input_size,
            {.min_ms = variant.latency.min_ms,
             .median_ms = variant.latency.median_ms,
             .ready_seconds = variant.ready_seconds,
             .peak_rss_bytes = variant.peak_rss_bytes},
            nullptr, nullptr);
        for (const ComparedPeer& peer : comparison.peers) {
            add("  " + peer.engine.name, comparison.input_size, peer.engine, &peer.ratio,
                peer.same_run_ratio ? &*peer.same_run_ratio : nullptr);
        }
    }
    return table;
}

/// The differences between the two formats.
struct Style {
    std::string (Table::*table)() const;
    const char* heading;  ///< printed before a section's title
    const char* item;     ///< printed before a list item
};

void write_machine(std::ostream& text, const Report& report) {
    const int threads = report.settings.threads;
    const int schedule = report.settings.schedule_threads;
    text << report.machine.cpu << ", " << threads << (threads == 1 ? " thread" : " threads")
         << (schedule == 0 ? "" : " with the schedule for " + std::to_string(schedule)) << ", "
         << report.machine.isa << ", convolutions " << report.settings.convolution << ", batch "
         << report.settings.batch << "; vgg19 " << report.build.version << ", " << report.build.build_type
         << ", " << report.build.compiler << "; weights: " << report.settings.weights
         << "; image: " << report.settings.image << '\n';
}

void write_predictions(std::ostream& text, const VariantReport& variant) {
    const char* separator = ": ";
    text << variant.id;
    for (const ReportedPrediction& prediction : variant.top3) {
        text << separator;
        if (prediction.label.empty()) {
            text << "class " << prediction.class_index;
        } else {
            text << prediction.label;
        }
        text << ' ' << fixed(prediction.probability * 100, 1) << " %";
        separator = ", ";
    }
    text << '\n';
}

void write_peaks(std::ostream& text, const Peaks& peaks) {
    text << "Measured peaks: FP32 " << fixed(peaks.fp32_gflops, 0) << " GFLOP/s";
    if (peaks.int8_gops) text << ", INT8 " << fixed(*peaks.int8_gops, 0) << " GOP/s";
    text << "; reads, all threads (one):";
    for (const ReadPeak& peak : peaks.reads) {
        text << (&peak == peaks.reads.data() ? " " : ", ") << level_name(peak.level) << ' '
             << fixed(peak.gb_per_second, 0) << " (" << fixed(peak.one_core_gb_per_second, 0) << ") GB/s";
    }
    text
        << "; " << fixed(peaks.gigahertz, 2) << " GHz\n"
        << "Percentages are of these peaks: of the products in their own time, and, in a layer's whole time, "
           "of all its arithmetic and of\nthe bytes that the cost model expects from each level. The largest "
           "names the limit; where it is small, nothing is at its peak.\n";
}

void write_peers(std::ostream& text, const Report& report, const Style& style) {
    text << '\n' << style.heading << "Beside the peers of " << report.peers->file.path.string() << "\n\n";
    if (report.peers->comparisons.empty()) {
        text << "No engine in this file does the same work as a variant in this report.\n";
    } else {
        text << (peers_table(report).*style.table)();
    }
    if (report.peers->others.empty()) return;
    text << '\n' << "Not compared:\n\n";
    for (const UncomparedPeer& other : report.peers->others) {
        text << style.item << other.engine.name << ", min " << fixed(other.engine.min_ms, 2) << " ms, median "
             << fixed(other.engine.median_ms, 2) << " ms: " << other.reason << '\n';
    }
}

std::string document(const Report& report, const Style& style) {
    std::ostringstream text;
    write_machine(text, report);
    text << '\n' << (variants_table(report).*style.table)();
    if (has_scaling(report)) {
        text << '\n' << style.heading << "Scaling\n\n" << (scaling_table(report).*style.table)();
    }
    if (report.peers) write_peers(text, report, style);
    text << '\n' << style.heading << "Top 3\n\n";
    for (const VariantReport& variant : report.variants) write_predictions(text << style.item, variant);
    if (report.peaks) write_peaks(text << '\n', *report.peaks);
    for (const VariantReport& variant : report.variants) {
        if (!variant.profile) continue;
        text << '\n' << style.heading << "Layers of " << variant.id << "\n\n";
        text << (profile_table(*variant.profile).*style.table)();
    }
    if (!report.notes.empty()) text << '\n';
    for (const std::string& note : report.notes) text << style.item << note << '\n';
    return text.str();
}

}  // namespace

std::string to_table(const Report& report) {
    return document(report, {.table = &Table::aligned, .heading = "", .item = "  "});
}

std::string to_markdown(const Report& report) {
    return document(report, {.table = &Table::markdown, .heading = "### ", .item = "- "});
}

}  // namespace vgg19::bench
