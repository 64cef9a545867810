#include "tools/scan_text.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "engine/model/number_text.h"
#include "tools/charts.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

/// All ratios of the scan, ascending.
std::vector<double> ratios_of(const std::vector<converter::LayerScan>& layers) {
    std::set<double> ratios;
    for (const converter::LayerScan& layer : layers) {
        for (const converter::ScanPoint& point : layer.points) ratios.insert(point.ratio);
    }
    return {ratios.begin(), ratios.end()};
}

/// "10 %", "87.5 %"
std::string percent(double ratio) {
    constexpr double hundredths = 1e4;
    return shortest_text(std::round(ratio * hundredths) / 100) + " %";
}

/// One row per layer, one column per ratio; `value` returns a percentage for a point.
template <class Value>
Table scan_table(const std::vector<converter::LayerScan>& layers, const Value& value) {
    const std::vector<double> ratios = ratios_of(layers);
    std::vector<std::string> head = {"without"};
    for (const double ratio : ratios) head.push_back(percent(ratio));
    Table table(head);
    for (const converter::LayerScan& layer : layers) {
        std::vector<std::string> row(head.size(), "");
        row[0] = layer.layer;
        for (const converter::ScanPoint& point : layer.points) {
            const auto column = std::lower_bound(ratios.begin(), ratios.end(), point.ratio) - ratios.begin();
            row[static_cast<std::size_t>(column) + 1] = fixed(100 * value(point), 2);
        }
        table.add(row);
    }
    return table;
}

}  // namespace

void print_scan(const std::vector<converter::LayerScan>& layers) {
    std::cout << "Error of the logits in % (relative L2) when one layer loses this share of its filters:\n\n"
              << scan_table(layers, [](const converter::ScanPoint& point) { return point.relative_l2; })
              << "\nChanged predictions in %:\n\n"
              << scan_table(layers, [](const converter::ScanPoint& point) { return point.changed_top1; });
}

std::string scan_picture(const std::vector<converter::LayerScan>& layers) {
    std::vector<Series> series;
    for (const converter::LayerScan& layer : layers) {
        if (layer.points.empty()) continue;
        Series line = {layer.layer, {{0, 0}}};
        for (const converter::ScanPoint& point : layer.points) {
            line.points.push_back({100 * point.ratio, 100 * point.relative_l2});
        }
        series.push_back(std::move(line));
    }
    return standalone(
        line_chart({.title = "Effect of each layer's filters on the logits",
                    .description = "The error of the logits when one layer alone loses a share of its "
                                   "filters, one line per layer.",
                    .x_label = "filters removed (%)",
                    .y_label = "relative error of the logits (%)"},
                   series));
}

}  // namespace vgg19::tools
