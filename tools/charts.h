// Charts as inline SVG: as wide as the page, readable on a phone and in dark and light mode, without external
// scripts, styles or fonts. Text and axes use the page's text colour (currentColor); the data's colours are
// halfway between black and white, so that they are visible on both.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::tools {

/// The maximum number of distinguishable series in a line chart.
inline constexpr std::size_t most_series = 16;

struct ChartText {
    std::string title;        ///< shown above the chart, and read first by screen readers
    std::string description;  ///< a description for people who cannot see the chart
    std::string x_label;
    std::string y_label;  ///< not used by bar charts
};

struct ChartPoint {
    double x = 0;
    double y = 0;
};

/// A line through points, from left to right.
struct Series {
    std::string name;
    std::vector<ChartPoint> points;
};

struct Bar {
    std::string name;
    double value = 0;   ///< the bar's length; non-negative
    std::string label;  ///< the value as text, with its unit: "574.7 MB"
};

struct Interval {
    double low = 0;
    double high = 0;
};

struct NamedPoint {
    std::string name;
    ChartPoint point;
    std::optional<Interval> y_interval;
    bool marked = false;  ///< drawn with a ring
};

/// A dashed line across a chart, with a name.
struct Guide {
    std::string name;
    double at = 0;
    bool vertical = false;
};

struct ScatterLook {
    std::vector<Guide> guides;
    bool logarithmic_x = false;  ///< for positive numbers
    bool front = false;          ///< a line through the points that no other beats: less of x and more of y
};

/// Each line has its name at its end, and a unique combination of colour and dashes. Throws Error (failed)
/// without any point, for a series without points, for more than most_series, and for a number that is not
/// finite.
std::string line_chart(const ChartText& text, const std::vector<Series>& series);

/// Horizontal bars that start at zero, from top to bottom. Throws Error (failed) without bars, and for a
/// value that is negative or not finite.
std::string bar_chart(const ChartText& text, const std::vector<Bar>& bars);

/// Points with their names, and with whiskers if there is an interval. Throws Error (failed) without points,
/// and for a number that is not finite.
std::string scatter_chart(const ChartText& text, const std::vector<NamedPoint>& points,
                          const ScatterLook& look = {});

/// The chart as a standalone SVG file, with its own text and background colours for dark and light mode.
std::string standalone(const std::string& svg);

/// Escapes text for use between tags and in quoted attributes of HTML, SVG and XML.
std::string escaped(std::string_view text);

/// About `count` round numbers at distances of 1, 2 or 5 times a power of ten; the first is at most `low`,
/// the last at least `high`. If both are equal, ticks are on both sides.
std::vector<double> round_ticks(double low, double high, std::size_t count);

/// The tick's text, with as many digits as the distance between ticks requires.
std::string tick_text(double tick, double step);

}  // namespace vgg19::tools
