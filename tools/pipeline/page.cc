#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/json_file.h"
#include "engine/model/map_size.h"
#include "tools/charts.h"
#include "tools/pipeline/page_parts.h"
#include "tools/pipeline/report.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::embedded {

extern const unsigned char report_html[];
extern const std::size_t report_html_size;
extern const unsigned char report_css[];
extern const std::size_t report_css_size;

}  // namespace vgg19::embedded

namespace vgg19::tools {

namespace {

using model::Json;

std::string embedded_text(const unsigned char* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

const Json& at(const Json& json, std::string_view key) {
    return report_member(json, key);
}

/// Replaces each {{name}} by its text.
std::string filled(const std::string& page, const std::map<std::string, std::string>& texts) {
    std::string result;
    std::size_t done = 0;
    for (std::size_t at = page.find("{{"); at != std::string::npos; at = page.find("{{", done)) {
        const std::size_t end = page.find("}}", at);
        result.append(page, done, at - done).append(texts.at(page.substr(at + 2, end - at - 2)));
        done = end + 2;
    }
    return result.append(page, done);
}

const Json& accuracy(const Json& variant) {
    return at(variant, "accuracy");
}

std::string accuracy_cell(const Json& variant) {
    const Json::Array& interval = at(accuracy(variant), "top1_interval").array();
    std::string cell = percent(at(accuracy(variant), "top1").number());
    return cell + " <small>(" + fixed(100 * interval.at(0).number(), 1) + "–" +
           fixed(100 * interval.at(1).number(), 1) + ")</small>";
}

std::string agreement_cell(const Json& variant) {
    const Json& agreement = at(variant, "test_agreement");
    return agreement.is_null() ? "" : percent(at(agreement, "same_top1").number());
}

std::vector<std::string> table_row(const Json& variant) {
    const Json& speedup = at(variant, "speedup");
    const double bytes = at(variant, "bytes").number();
    return {
        escaped(at(variant, "id").string()),
        accuracy_cell(variant),
        percent(at(accuracy(variant), "top3").number()),
        agreement_cell(variant),
        fixed(bytes * 1e-6, 1) + " MB",
        fixed(at(variant, "active_parameters").number() * 1e-6, 2) + " M",
        fixed(at(variant, "gmac").number(), 2),
        milliseconds_text(at(variant, "median_ms").number()),
        milliseconds_text(at(variant, "p90_ms").number()),
        speedup.is_null() ? "" : fixed(speedup.number(), 2) + " ×",
        fixed(at(variant, "peak_rss_bytes").number() * 1e-6, 0) + " MB",
    };
}

std::string table(const Json::Array& variants) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& variant : variants) rows.push_back(table_row(variant));
    return html_table({"variant", "top-1", "top-3", "agreement", "file", "parameters", "GMAC", "median",
                       "p90", "speed-up", "peak memory"},
                      rows);
}

std::string size_chart(const Json::Array& variants) {
    std::vector<Bar> bars;
    for (const Json& variant : variants) {
        const double megabytes = at(variant, "bytes").number() * 1e-6;
        bars.push_back({at(variant, "id").string(), megabytes, fixed(megabytes, 1) + " MB"});
    }
    return bar_chart({"Size of the file", "Megabytes on disk, one bar per variant.", "", ""}, bars);
}

std::string latency_chart(const Json::Array& variants) {
    std::vector<Bar> bars;
    for (const Json& variant : variants) {
        const double median = at(variant, "median_ms").number();
        bars.push_back({at(variant, "id").string(), median, milliseconds_text(median)});
    }
    return bar_chart({"Latency, median", "Milliseconds for one run, one bar per variant.", "", ""}, bars);
}

std::string sensitivity_chart(const Json& curves) {
    if (curves.array().empty()) return "";
    std::vector<Series> series;
    for (const Json& curve : curves.array()) {
        Series& one = series.emplace_back(Series{at(curve, "layer").string(), {}});
        for (const Json& point : at(curve, "points").array()) {
            one.points.push_back(
                {100 * at(point, "ratio").number(), 100 * at(point, "relative_l2").number()});
        }
    }
    const ChartText text = {"Sensitivity to pruning",
                            "The error of the logits when filters of one convolution alone are removed, over "
                            "their share, one line per "
                            "convolution.",
                            "filters removed, %", "relative error of the logits, %"};
    return element("figure", line_chart(text, series)) + '\n';
}

std::string lineage(const Json::Array& variants) {
    std::string list;
    for (const Json& variant : variants) {
        std::string steps;
        for (const Json& step : at(variant, "lineage").array()) {
            steps += (steps.empty() ? "" : " → ") + escaped(step.string());
        }
        list += element("dt", escaped(at(variant, "id").string())) + element("dd", steps) + '\n';
    }
    return element("dl", '\n' + list) + '\n';
}

std::string steps(const Json::Array& all) {
    std::string list;
    for (const Json& step : all) {
        const std::string title =
            escaped(at(step, "id").string()) + ", " + fixed(at(step, "seconds").number(), 1);
        list += element("li", title + " s" + element("pre", escaped(at(step, "command").string()))) + '\n';
    }
    return element("ol", '\n' + list) + '\n';
}

std::string machine(const Json& report) {
    const Json& settings = at(report, "settings");
    return element("p", escaped(at(at(report, "machine"), "cpu").string()) + ", " +
                            escaped(at(at(report, "machine"), "isa").string()) + ", " +
                            std::to_string(at(settings, "threads").size()) + " threads; vgg19 " +
                            escaped(at(at(report, "build"), "version").string()) + '.') +
           '\n';
}

std::string notes(const Json::Array& all) {
    std::string list;
    for (const Json& note : all) list += element("li", escaped(note.string())) + '\n';
    return list.empty() ? "" : element("ul", '\n' + list) + '\n';
}

/// "224×224" of what model::size_json() wrote.
std::string pixels(const Json& size) {
    const std::string text = size.is_string() ? size.string() : std::to_string(size.size());
    return model::pixels_text(model::parse_map_size(text).value_or(MapSize()));
}

std::string summary(const Json& report) {
    const Json& data = at(report, "data");
    const Json& first = at(report, "variants").array().at(0);
    return "From " + element("b", escaped(at(data, "weights").string())) +
           ", trained further and calibrated on " + element("b", escaped(at(data, "train").string())) +
           ", tested on " + grouped(at(accuracy(first), "images").size()) + " images of " +
           element("b", escaped(at(data, "test").string())) + " at " + pixels(at(accuracy(first), "size")) +
           "; latencies at " + pixels(at(first, "input_size")) + '.';
}

std::string title(const Json& report) {
    return report.find("compression") != nullptr ? "VGG-19: the smallest within a promise"
                                                 : "VGG-19: size, speed and accuracy of its variants";
}

}  // namespace

const Json& report_member(const Json& json, std::string_view key) {
    return model::member(json, key, "report");
}

std::string element(const std::string& name, const std::string& content) {
    std::string result = "<";
    return result.append(name).append(">").append(content).append("</").append(name).append(">");
}

std::string percent(double share) {
    return fixed(100 * share, 2) + " %";
}

std::string milliseconds_text(double number) {
    return fixed(number, number < 10 ? 2 : 1) + " ms";
}

std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows) {
    const auto row = [](const char* cell, const std::vector<std::string>& cells) {
        std::string text;
        for (const std::string& content : cells) text += element(cell, content);
        return element("tr", text);
    };
    std::string body;
    for (const std::vector<std::string>& cells : rows) body += row("td", cells) + '\n';
    return "<div class=\"wide\">\n" +
           element("table", '\n' + element("thead", row("th", head)) + '\n' + element("tbody", '\n' + body)) +
           "\n</div>\n";
}

std::string pipeline_page(const Json& report) {
    const Json::Array& variants = at(report, "variants").array();
    if (variants.empty()) throw Error(ErrorKind::bad_input, "report: expected a variant, found none");
    return filled(embedded_text(embedded::report_html, embedded::report_html_size),
                  {{"style", embedded_text(embedded::report_css, embedded::report_css_size)},
                   {"summary", summary(report)},
                   {"table", table(variants)},
                   {"size_chart", size_chart(variants)},
                   {"latency_chart", latency_chart(variants)},
                   {"front", front_figures(report)},
                   {"title", title(report)},
                   {"promise", promise_section(report)},
                   {"search", search_section(report)},
                   {"sensitivity_chart", sensitivity_chart(at(report, "sensitivity"))},
                   {"lineage", lineage(variants)},
                   {"steps", steps(at(report, "steps").array())},
                   {"machine", machine(report)},
                   {"notes", notes(at(report, "notes").array())}});
}

}  // namespace vgg19::tools
