// The two formats for people, table and Markdown, made from the same tables.
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

Table profile_table(const Profile& profile) {
    Table table({"layer", "ms", "direct GFLOP/s", "executed GFLOP/s", "GB/s", "% of peak", "kernel"});
    for (const LayerTime& layer : profile.layers) {
        table.add({layer.layer, fixed(layer.median_ms, 3), fixed(layer.gflops, 1),
                   fixed(layer.executed_gflops, 1), fixed(layer.gb_per_second, 1),
                   fixed(layer.share_of_peak * 100, 0), layer.kernel});
    }
    for (const auto& [name, milliseconds] :
         {std::pair{"sum of the layers", profile.layers_ms}, {"end to end", profile.end_to_end_ms}}) {
        std::vector<std::string> row = {name, fixed(milliseconds, 3)};
        row.resize(table.columns(), none);
        table.add(std::move(row));
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
    text << report.machine.cpu << ", " << report.settings.threads << " threads, " << report.machine.isa
         << ", convolutions " << report.settings.convolution << ", batch " << report.settings.batch
         << "; vgg19 " << report.build.version << ", " << report.build.build_type << ", "
         << report.build.compiler << "; weights: " << report.settings.weights
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
    text << "Measured peaks: memory reads " << fixed(peaks.read_gb_per_second, 1) << " GB/s, FP32 "
         << fixed(peaks.fp32_gflops, 0) << " GFLOP/s";
    if (peaks.int8_gops) text << ", INT8 " << fixed(*peaks.int8_gops, 0) << " GOP/s";
    text << '\n';
}

std::string document(const Report& report, const Style& style) {
    std::ostringstream text;
    write_machine(text, report);
    text << '\n' << (variants_table(report).*style.table)();
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
