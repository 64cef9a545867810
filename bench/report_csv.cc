// RFC 4180: a header, then one line per variant. Numbers are plain; missing values are empty.
#include "bench/report.h"
#include "engine/model/number_text.h"

namespace vgg19::bench {

namespace {

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result(1, '"');
    for (const char character : text) result.append(character == '"' ? 2 : 1, character);
    result.push_back('"');
    return result;
}

std::string line(const std::vector<std::string>& cells) {
    std::string text;
    for (const std::string& cell : cells) text.append(&cell == cells.data() ? "" : ",").append(quoted(cell));
    return text + "\r\n";
}

std::vector<std::string> heads() {
    std::vector<std::string> names = {
        "id",     "input_size", "bytes", "active_parameters", "gmac",    "median_ms",     "min_ms",
        "p90_ms", "p99_ms",     "runs",  "images_per_second", "speedup", "peak_rss_bytes"};
    for (const std::string place : {"top1", "top2", "top3"}) {
        for (const char* part : {"_class", "_synset", "_label", "_probability"}) {
            names.push_back(place + part);
        }
    }
    names.insert(names.end(), {"agreement_top1", "agreement_top5", "agreement_cosine"});
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

}  // namespace

std::string to_csv(const Report& report) {
    std::string text = line(heads());
    for (const VariantReport& variant : report.variants) text += line(cells(variant));
    return text;
}

}  // namespace vgg19::bench
