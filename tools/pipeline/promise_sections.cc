#include <cmath>
#include <string>
#include <vector>

#include "tools/charts.h"
#include "tools/pipeline/page_parts.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

using model::Json;
using Cells = std::vector<std::string>;

constexpr double points = 100;

double number(const Json& json, std::string_view key) {
    return report_member(json, key).number();
}

std::string points_text(double share) {
    return fixed(points * share, 2);
}

/// "0.35 (−0.40 to 1.10)" of counts.
std::string drop_cell(const Json& counts) {
    const Json::Array& interval = report_member(counts, "interval").array();
    return points_text(number(counts, "drop")) + " <small>(" + points_text(interval.at(0).number()) + " to " +
           points_text(interval.at(1).number()) + ")</small>";
}

std::string claim_cell(const Json& model, const Json& promise) {
    const std::string claim = report_member(model, "claim").string();
    const Json& marked = report_member(promise, "model");
    const bool is_marked = marked.is_string() && marked.string() == report_member(model, "id").string();
    return is_marked ? element("b", claim) : claim;
}

std::string needed_cell(const Json& model) {
    const Json& needed = report_member(model, "images_needed");
    return needed.is_number() ? grouped(needed.size()) : "none suffices";
}

std::string models_table(const Json& compression) {
    const Json& promise = report_member(compression, "promise");
    std::vector<Cells> rows;
    for (const Json& model : report_member(compression, "models").array()) {
        const Json& test = report_member(model, "test");
        rows.push_back(
            {escaped(report_member(model, "id").string()), drop_cell(test),
             points_text(number(test, "upper_bound")), claim_cell(model, promise), needed_cell(model),
             drop_cell(report_member(model, "held_out")), milliseconds_text(number(model, "expected_ms")),
             milliseconds_text(number(model, "median_ms")), fixed(number(model, "mb"), 1) + " MB"});
    }
    return html_table({"model", "drop, points", "at most", "promise", "images needed", "drop, held-out",
                       "expected", "median", "file"},
                      rows);
}

std::string recipes(const Json& compression) {
    std::string list;
    for (const Json& model : report_member(compression, "models").array()) {
        list += element("dt", escaped(report_member(model, "id").string())) +
                element("dd", element("pre", escaped(report_member(model, "command").string()))) + '\n';
    }
    return element("dl", '\n' + list) + '\n';
}

std::string trials_table(const Json& compression) {
    std::vector<Cells> rows;
    for (const Json& trial : report_member(compression, "trials").array()) {
        const std::string size = report_member(trial, "size").string();
        rows.push_back(
            {std::to_string(report_member(trial, "number").size()),
             escaped(report_member(trial, "purpose").string() + (size.empty() ? "" : ", " + size)),
             fixed(std::exp(-number(trial, "reduction")), 3), points_text(number(trial, "predicted_drop")),
             drop_cell(report_member(trial, "held_out")), milliseconds_text(number(trial, "expected_ms")),
             fixed(number(trial, "mb"), 1) + " MB", fixed(number(trial, "seconds"), 0) + " s"});
    }
    return html_table({"model", "why", "share of the work", "drop expected", "drop measured", "time expected",
                       "file", "took"},
                      rows);
}

}  // namespace

std::string promise_section(const Json& report) {
    const Json* const compression = report.find("compression");
    if (compression == nullptr) return "";
    const Json& promise = report_member(*compression, "promise");
    const std::string verdict = report_member(promise, "verdict").string();
    std::string order;
    for (const Json& id : report_member(*compression, "order").array()) {
        order += (order.empty() ? "" : ", ") + escaped(id.string());
    }
    return element("p", element("b", escaped(verdict)) + '.') + '\n' + models_table(*compression) +
           "<p class=\"note\">Drops are percentage points of top-1 against the baseline on the same images, "
           "with 95 % intervals (Tango's). \"At most\" is the one-sided 95 % bound, which must not exceed " +
           points_text(number(promise, "max_drop")) + " points. The promise was judged in the order " +
           (order.empty() ? "of no model, because none is within the limits" : order) +
           ", fixed before the test images were looked at, up to the first model that does not keep it. "
           "\"Images needed\": how many would show it, with such proportions.</p>\n";
}

std::string search_section(const Json& report) {
    const Json* const compression = report.find("compression");
    if (compression == nullptr) return "";
    return "<h2>The search</h2>\n<p>Every model that was made, in order, with what it was expected to lose "
           "and "
           "what it lost, in points on the held-out images:</p>\n" +
           trials_table(*compression) + "<h2>Each model as one command</h2>\n" + recipes(*compression);
}

}  // namespace vgg19::tools
