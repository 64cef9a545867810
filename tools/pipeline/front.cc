#include <algorithm>
#include <optional>
#include <vector>

#include "tools/charts.h"
#include "tools/pipeline/page_parts.h"

namespace vgg19::tools {

namespace {

using model::Json;

constexpr double percents = 100;

/// What the search says of a variant; none for the baseline, and without a search.
const Json* searched_model(const Json& report, const std::string& id) {
    const Json* const compression = report.find("compression");
    if (compression == nullptr) return nullptr;
    for (const Json& model : report_member(*compression, "models").array()) {
        if (report_member(model, "id").string() == id) return &model;
    }
    return nullptr;
}

double top1(const Json& variant) {
    return percents * report_member(report_member(variant, "accuracy"), "top1").number();
}

Interval scaled(const Json& interval, double factor, double offset) {
    const double one = offset + factor * interval.array().at(0).number();
    const double other = offset + factor * interval.array().at(1).number();
    return {std::min(one, other), std::max(one, other)};
}

/// A variant at this place of the x axis.
NamedPoint point_of(const Json& report, const Json& variant, double x) {
    const std::string id = report_member(variant, "id").string();
    NamedPoint point{id, {x, top1(variant)}, std::nullopt};
    if (report.find("compression") == nullptr) {
        point.y_interval =
            scaled(report_member(report_member(variant, "accuracy"), "top1_interval"), percents, 0);
        return point;
    }
    const Json* const model = searched_model(report, id);
    if (model == nullptr) return point;  // the baseline, which the others are compared with
    const Json& test = report_member(*model, "test");
    const double baseline = point.point.y + percents * report_member(test, "drop").number();
    point.y_interval = scaled(report_member(test, "interval"), -percents, baseline);
    const Json& marked = report_member(report_member(*report.find("compression"), "promise"), "model");
    point.marked = marked.is_string() && marked.string() == id;
    return point;
}

ScatterLook look_of(const Json& report, const char* limit, const char* unit) {
    ScatterLook look;
    look.front = true;
    look.logarithmic_x = true;
    const Json* const compression = report.find("compression");
    if (compression == nullptr) return look;
    const Json& promise = report_member(*compression, "promise");
    const double baseline = top1(report_member(report, "variants").array().at(0));
    look.guides.push_back(
        {"promise", baseline - percents * report_member(promise, "max_drop").number(), false});
    const Json& most = report_member(promise, limit);
    if (most.is_number()) look.guides.push_back({std::string("limit, ") + unit, most.number(), true});
    return look;
}

std::string figure(const Json& report, const ChartText& text, const char* limit, const char* unit,
                   double (*x_of)(const Json& variant)) {
    std::vector<NamedPoint> points;
    for (const Json& variant : report_member(report, "variants").array()) {
        points.push_back(point_of(report, variant, x_of(variant)));
    }
    return element("figure", scatter_chart(text, points, look_of(report, limit, unit))) + '\n';
}

}  // namespace

std::string front_figures(const Json& report) {
    const std::string what = std::string("Top-1 on the test images, with 95 % intervals ") +
                             (report.find("compression") != nullptr ? "of the difference from the baseline"
                                                                    : "of each model alone") +
                             ", one point per model; the line joins those that no other beats, a ring marks "
                             "the one that keeps the "
                             "promise. Up and to the left is better; the axis is logarithmic.";
    constexpr double mega = 1e-6;
    return figure(report, {"Accuracy against latency", what, "median latency, ms", "top-1, %"}, "max_ms",
                  "ms", [](const Json& variant) { return report_member(variant, "median_ms").number(); }) +
           figure(report, {"Accuracy against size", what, "file, MB", "top-1, %"}, "max_mb", "MB",
                  [](const Json& variant) { return mega * report_member(variant, "bytes").number(); });
}

}  // namespace vgg19::tools
