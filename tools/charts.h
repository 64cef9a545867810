// Charts as inline SVG: as wide as the page, readable on a phone, in dark and in light, without scripts,
// styles or fonts from elsewhere. Text and axes have the colour of the text around them (currentColor); the
// colours of the data lie in the middle between black and white, so that they stand out on both.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::tools {

/// The most series that a line chart tells apart.
inline constexpr std::size_t most_series = 16;

struct ChartText {
    std::string title;        ///< above the chart, and what a screen reader says first
    std::string description;  ///< what there is to see, for those who cannot
    std::string x_label;
    std::string y_label;  ///< bars have none
};

struct ChartPoint {
    double x = 0;
    double y = 0;
};

/// A line through its points, from left to right.
struct Series {
    std::string name;
    std::vector<ChartPoint> points;
};

struct Bar {
    std::string name;
    double value = 0;   ///< the length; not negative
    std::string label;  ///< the value as people read it, with its unit: "574.7 MB"
};

struct Interval {
    double low = 0;
    double high = 0;
};

struct NamedPoint {
    std::string name;
    ChartPoint point;
    std::optional<Interval> y_interval;
};

/// Each line has its name at its end, and a pair of colour and dashes of its own. Throws Error (failed) for
/// no point at all, a series without points, more than most_series, or a number that is not finite.
std::string line_chart(const ChartText& text, const std::vector<Series>& series);

/// Horizontal bars from zero, from top to bottom. Throws Error (failed) for none, or for a value that is
/// negative or not finite.
std::string bar_chart(const ChartText& text, const std::vector<Bar>& bars);

/// Points with their names beside them, and with whiskers where there is an interval. Throws Error (failed)
/// for none, or for a number that is not finite.
std::string scatter_chart(const ChartText& text, const std::vector<NamedPoint>& points);

/// A chart as an SVG file of its own, which has its own colours of text and ground, dark and light.
std::string standalone(const std::string& svg);

/// Text between the tags and in the quotes of HTML, SVG and XML.
std::string escaped(std::string_view text);

/// Round numbers (1, 2 or 5 times a power of ten apart), about `count` of them, of which the first is at most
/// `low` and the last at least `high`. Where both are the same, there is room on either side.
std::vector<double> round_ticks(double low, double high, std::size_t count);

/// A tick with as many digits as its neighbours' distance asks for.
std::string tick_text(double tick, double step);

}  // namespace vgg19::tools
