#include "tools/scan_text.h"

#include <cmath>
#include <iostream>

#include "tools/charts.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

constexpr int tenths = 10;

/// One row per layer, one column per ratio; `value` returns a percentage for a point.
template <class Value>
Table scan_table(const std::vector<converter::LayerScan>& layers, const Value& value) {
    std::vector<std::string> head = {"without"};
    for (int tenth = 1; tenth < tenths; ++tenth) head.push_back(std::to_string(tenth * 10) + " %");
    Table table(head);
    for (const converter::LayerScan& layer : layers) {
        std::vector<std::string> row(tenths, "");
        row[0] = layer.layer;
        for (const converter::ScanPoint& point : layer.points) {
            row[static_cast<std::size_t>(std::lround(point.ratio * tenths))] = fixed(100 * value(point), 2);
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
    return standalone(line_chart({.title = "Effect of each layer's filters on the logits",
                                  .description = "The error of the logits when one convolution alone loses a "
                                                 "share of its filters, one line per convolution.",
                                  .x_label = "filters removed (%)",
                                  .y_label = "relative error of the logits (%)"},
                                 series));
}

}  // namespace vgg19::tools
