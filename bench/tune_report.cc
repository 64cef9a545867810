#include <algorithm>

#include "bench/table.h"
#include "bench/tune.h"
#include "engine/model/map_size.h"
#include "engine/model/number_text.h"

namespace vgg19::bench {

namespace {

using kernels::Level;
using model::Json;

double least_median(const TunedShape& tuned) {
    double least = tuned.results.front().median_ms;
    for (const TuneResult& result : tuned.results) least = std::min(least, result.median_ms);
    return least;
}

const char* type_name(const layers::ConvolutionShape& shape) {
    return shape.type == layers::ConvolutionType::fp32 ? "FP32" : "INT8";
}

/// "FP32 → INT8" if the output's type is another.
std::string types_text(const layers::ConvolutionShape& shape) {
    const std::string type = type_name(shape);
    const std::string output = shape.int8_follows ? "INT8" : "FP32";
    return type == output ? type : type + " → " + output;
}

std::string remark(const TuneResult& result, double least) {
    std::string text = result.chosen ? "chosen" : "";
    if (result.median_ms == least) text += text.empty() ? "fastest" : ", fastest";
    return text;
}

double level_ms(const TuneResult& result, Level level) {
    return result.expected.level_seconds[static_cast<std::size_t>(level)] * 1e3;
}

/// `digits` after the point of each time.
Table results_table(const TuneReport& report, int digits) {
    Table table({"convolution", "type", "algorithm", "expected ms", "limit", "median ms", "min ms",
                 "expected / min", ""});
    for (const TunedShape& tuned : report.shapes) {
        const double least = least_median(tuned);
        for (const TuneResult& result : tuned.results) {
            const double expected_ms = result.expected.seconds * 1e3;
            const std::string name = std::to_string(tuned.shape.input_channels) + " → " +
                                     std::to_string(tuned.shape.output_channels) + ", " +
                                     model::pixels_text(tuned.shape.size);
            table.add({name, types_text(tuned.shape), layers::algorithm_name(result.algorithm),
                       fixed(expected_ms, digits), result.expected.limit(), fixed(result.median_ms, digits),
                       fixed(result.min_ms, digits), fixed(expected_ms / result.min_ms, 2),
                       remark(result, least)});
        }
    }
    return table;
}

/// For a test of the cost model: the share of expected times within a quarter of the measured minimum.
std::string summary(const TuneReport& report) {
    constexpr double quarter = 0.25;
    double worst = 1;
    int close = 0;
    int all = 0;
    for (const TunedShape& tuned : report.shapes) {
        worst = std::max(worst, tuned.excess());
        for (const TuneResult& result : tuned.results) {
            const double ratio = result.expected.seconds * 1e3 / result.min_ms;
            close += ratio >= 1 - quarter && ratio <= 1 + quarter ? 1 : 0;
            ++all;
        }
    }
    return "The choices by the cost model (" + report.cost_model + ") take at most " + fixed(worst, 2) +
           " times the fastest. Of " + std::to_string(all) + " expected times " + std::to_string(close) +
           " are within 25 % of the least that was measured.\n";
}

Json to_json(const TuneResult& result) {
    Json json;
    json.set("algorithm", layers::algorithm_name(result.algorithm));
    json.set("chosen", result.chosen);
    json.set("expected_ms", result.expected.seconds * 1e3);
    json.set("median_ms", result.median_ms);
    json.set("min_ms", result.min_ms);
    json.set("arithmetic_ms", result.expected.arithmetic_seconds * 1e3);
    json.set("l2_ms", level_ms(result, Level::l2));
    json.set("l3_ms", level_ms(result, Level::l3));
    json.set("memory_ms", level_ms(result, Level::memory));
    json.set("barrier_ms", result.expected.barrier_seconds * 1e3);
    json.set("limit", result.expected.limit());
    return json;
}

Json to_json(const TunedShape& tuned) {
    const layers::ConvolutionShape& shape = tuned.shape;
    Json json;
    json.set("input_channels", std::uint64_t{shape.input_channels});
    json.set("output_channels", std::uint64_t{shape.output_channels});
    json.set("height", std::uint64_t{shape.size.height});
    json.set("width", std::uint64_t{shape.size.width});
    json.set("type", type_name(shape));
    json.set("plain_input", shape.plain_input);
    json.set("pool_follows", shape.pool_follows);
    json.set("int8_follows", shape.int8_follows);
    Json::Array results;
    for (const TuneResult& result : tuned.results) results.push_back(to_json(result));
    json.set("results", results);
    return json;
}

std::string json_text(const TuneReport& report) {
    constexpr int schema_version = 1;
    Json machine;
    machine.set("name", report.cost_model);
    machine.set("threads", report.threads);
    const Json description = bench::to_json(report.machine);
    for (const auto& [key, value] : description.object()) machine.set(key, value);
    Json::Array shapes;
    for (const TunedShape& tuned : report.shapes) shapes.push_back(to_json(tuned));
    Json json;
    json.set("schema_version", schema_version);
    json.set("machine", machine);
    json.set("build", bench::to_json(report.build));
    json.set("peaks", bench::to_json(report.peaks));
    json.set("batch", std::uint64_t{report.batch});
    json.set("shapes", shapes);
    return json.dump(2) + '\n';
}

}  // namespace

double TunedShape::excess() const {
    return results.front().median_ms / least_median(*this);
}

std::string tune_text(const TuneReport& report, Format format) {
    constexpr int shown = 2;
    constexpr int exact = 6;
    switch (format) {
        case Format::json:
            return json_text(report);
        case Format::csv:
            return results_table(report, exact).csv();
        case Format::markdown:
            return results_table(report, shown).markdown() + '\n' + summary(report);
        case Format::table:
            break;
    }
    return results_table(report, shown).aligned() + '\n' + summary(report);
}

}  // namespace vgg19::bench
