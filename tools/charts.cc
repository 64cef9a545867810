#include "tools/charts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "tools/chart_parts.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr double plot_top = 1.8 * line_height;  // below the title
constexpr double plot_height = 280;
constexpr double plot_left = 66;             // room for the axis label and numbers
constexpr double plot_margin = 14;           // so that the axis's last number is not cut off
constexpr double below = 2.6 * line_height;  // numbers and label of the x axis
constexpr double name_gap = 6;               // between an item and its name

void require(bool condition, const std::string& title, const std::string& problem) {
    if (!condition) throw Error(ErrorKind::failed, "chart \"" + title + "\": " + problem);
}

void require_finite(double number, const std::string& title, const std::string& name) {
    require(std::isfinite(number), title, name + ": expected finite numbers");
}

/// The smallest interval that contains all added numbers.
struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void add(double number) {
        low = std::min(low, number);
        high = std::max(high, number);
    }
};

struct Box {
    double left = 0;
    double top = 0;
    double right = 0;
    double bottom = 0;
};

double overlap(const Box& a, const Box& b) {
    const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
    const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
    return width > 0 && height > 0 ? width * height : 0;
}

std::string dot(double x, double y, double radius, const std::string& colour) {
    return empty_element("circle", {{"cx", x}, {"cy", y}, {"r", radius}, {"fill", colour}});
}

std::string polyline(const Series& series, std::size_t index, const Scale& x, const Scale& y) {
    std::string points;
    for (const ChartPoint& point : series.points) {
        if (!points.empty()) points += ' ';
        points.append(place(x(point.x))).append(1, ',').append(place(y(point.y)));
    }
    Attributes attributes = series_look(index);
    attributes.insert(attributes.end(), {{"fill", "none"}, {"stroke-linejoin", "round"}, {"points", points}});
    return empty_element("polyline", attributes);
}

/// Names at the right, in the order of the lines' ends, each with a sample of its line.
std::string line_names(const std::vector<Series>& series, const Frame& frame, const Scale& x,
                       const Scale& y) {
    constexpr double sample = 20;
    std::vector<double> places(series.size());
    std::transform(series.begin(), series.end(), places.begin(),
                   [&y](const Series& one) { return y(one.points.back().y); });
    spread(places, line_height - 1, frame.top, frame.bottom);
    std::string svg;
    for (std::size_t i = 0; i < series.size(); ++i) {
        const ChartPoint& last = series[i].points.back();
        const ChartPoint begin{frame.right + name_gap, places[i]};
        const ChartPoint end{begin.x + sample, places[i]};
        svg += line_between({x(last.x), y(last.y)}, begin,
                            {{"stroke", series_colour(i)}, {"stroke-opacity", "0.4"}});
        svg += line_between(begin, end, series_look(i));
        svg += text_at(end.x + name_gap, end.y, Anchor::start, series[i].name);
    }
    return svg;
}

/// Placed next to the point, inside the picture, where the name overlaps least with other elements.
Box name_box(double x, double y, double width, const Box& picture, const std::vector<Box>& taken) {
    const double half = line_height / 2;
    const double right = x + name_gap;
    const double left = x - name_gap - width;
    const std::array<ChartPoint, 8> corners = {{{right, y - half},
                                                {left, y - half},
                                                {right, y - line_height},
                                                {right, y},
                                                {left, y - line_height},
                                                {left, y},
                                                {x - width / 2, y - name_gap - line_height},
                                                {x - width / 2, y + name_gap}}};
    Box best;
    double least = std::numeric_limits<double>::infinity();
    for (const ChartPoint& corner : corners) {
        const Box box{corner.x, corner.y, corner.x + width, corner.y + line_height};
        double cost = 2 * (width * line_height - overlap(box, picture));
        for (const Box& other : taken) cost += overlap(box, other);
        if (cost < least) {
            least = cost;
            best = box;
        }
    }
    return best;
}

std::string whiskers(double x, double low, double high, const std::string& colour) {
    constexpr double cap = 4;
    const Attributes look = {{"stroke", colour}, {"stroke-opacity", "0.7"}};
    std::string svg = line_between({x, low}, {x, high}, look);
    for (const double end : {low, high}) svg += line_between({x - cap, end}, {x + cap, end}, look);
    return svg;
}

std::string ring(double x, double y, double radius) {
    return empty_element("circle", {{"cx", x},
                                    {"cy", y},
                                    {"r", radius},
                                    {"fill", "none"},
                                    {"stroke", "currentColor"},
                                    {"stroke-width", "2"}});
}

/// Of both axes.
std::pair<Range, Range> scatter_ranges(const ChartText& text, const std::vector<NamedPoint>& points,
                                       const std::vector<Guide>& guides) {
    Range x;
    Range y;
    for (const NamedPoint& point : points) {
        const Interval interval = point.y_interval.value_or(Interval{point.point.y, point.point.y});
        require_finite(point.point.x + point.point.y + interval.low + interval.high, text.title, point.name);
        x.add(point.point.x);
        for (const double at : {point.point.y, interval.low, interval.high}) y.add(at);
    }
    for (const Guide& guide : guides) {
        require_finite(guide.at, text.title, guide.name);
        (guide.vertical ? x : y).add(guide.at);
    }
    return {x, y};
}

/// Its name stands at its end, and is added to what is taken.
std::string guide_line(const Guide& guide, const Frame& frame, const Scale& x, const Scale& y,
                       std::vector<Box>& taken) {
    const double at = guide.vertical ? x(guide.at) : y(guide.at);
    const ChartPoint begin = guide.vertical ? ChartPoint{at, frame.top} : ChartPoint{frame.left, at};
    const ChartPoint end = guide.vertical ? ChartPoint{at, frame.bottom} : ChartPoint{frame.right, at};
    const double width = text_width(guide.name);
    const bool fits_left = at - name_gap - width >= frame.left;
    const double left = fits_left ? at - name_gap - width : at + name_gap;
    const Box box = guide.vertical ? Box{left, frame.bottom - line_height, left + width, frame.bottom}
                                   : Box{frame.right - width, at, frame.right, at + line_height};
    taken.push_back(box);
    return line_between(begin, end, {{"stroke", "currentColor"}, {"stroke-dasharray", "5 4"}}) +
           text_at(box.left, (box.top + box.bottom) / 2, Anchor::start, guide.name);
}

/// Steps from each point on the front to the next, and on to the frame's right.
std::string front_line(const std::vector<NamedPoint>& points, const Frame& frame, const Scale& x,
                       const Scale& y) {
    std::vector<ChartPoint> sorted;
    for (const NamedPoint& point : points) sorted.push_back(point.point);
    std::sort(sorted.begin(), sorted.end(),
              [](const ChartPoint& a, const ChartPoint& b) { return a.x != b.x ? a.x < b.x : a.y > b.y; });
    std::string steps;
    double best = -std::numeric_limits<double>::infinity();
    for (const ChartPoint& point : sorted) {
        if (point.y <= best) continue;
        if (!steps.empty()) steps.append(" ").append(place(x(point.x))).append(",").append(place(y(best)));
        steps.append(steps.empty() ? "" : " ")
            .append(place(x(point.x)))
            .append(",")
            .append(place(y(point.y)));
        best = point.y;
    }
    steps.append(" ").append(place(frame.right)).append(",").append(place(y(best)));
    return empty_element(
        "polyline",
        {{"points", steps}, {"fill", "none"}, {"stroke", "currentColor"}, {"stroke-opacity", "0.4"}});
}

}  // namespace

std::string line_chart(const ChartText& text, const std::vector<Series>& series) {
    require(!series.empty(), text.title, "expected a series, found none");
    require(series.size() <= most_series, text.title,
            "expected at most " + std::to_string(most_series) + " series, found " +
                std::to_string(series.size()));
    Range x_range;
    Range y_range;
    double widest_name = 0;
    for (const Series& one : series) {
        require(!one.points.empty(), text.title, one.name + ": expected a point, found none");
        for (const ChartPoint& point : one.points) {
            require_finite(point.x + point.y, text.title, one.name);
            x_range.add(point.x);
            y_range.add(point.y);
        }
        widest_name = std::max(widest_name, text_width(one.name));
    }
    const double names = std::min(widest_name + 36, chart_width / 3);
    const Frame frame{plot_left, plot_top, chart_width - names, plot_top + plot_height};
    const Scale x(x_range.low, x_range.high, frame.left, frame.right);
    const Scale y(y_range.low, y_range.high, frame.bottom, frame.top);

    std::string svg = chart_head(text, frame.bottom + below) + axes(text, frame, x, y);
    for (std::size_t i = 0; i < series.size(); ++i) svg += polyline(series[i], i, x, y);
    return svg + line_names(series, frame, x, y) + chart_end;
}

std::string bar_chart(const ChartText& text, const std::vector<Bar>& bars) {
    constexpr double bar_height = 18;
    constexpr double bar_distance = 28;
    require(!bars.empty(), text.title, "expected a bar, found none");
    double widest_name = 0;
    double widest_label = 0;
    double longest = 0;
    for (const Bar& bar : bars) {
        require(std::isfinite(bar.value) && bar.value >= 0, text.title,
                bar.name + ": expected a finite number that is not negative");
        widest_name = std::max(widest_name, text_width(bar.name));
        widest_label = std::max(widest_label, text_width(bar.label));
        longest = std::max(longest, bar.value);
    }
    const double left = std::min(widest_name, chart_width / 3) + name_gap;
    const double length = std::max(chart_width - left - widest_label - 2 * name_gap, chart_width / 6);
    const double bottom = plot_top + bar_distance * static_cast<double>(bars.size());

    std::string svg = chart_head(text, bottom + line_height);
    double middle = plot_top + bar_distance / 2;
    for (std::size_t i = 0; i < bars.size(); ++i, middle += bar_distance) {
        const double share = longest > 0 ? bars[i].value / longest : 0;
        svg += text_at(left - name_gap, middle, Anchor::end, bars[i].name);
        svg += empty_element("rect", {{"x", left},
                                      {"y", middle - bar_height / 2},
                                      {"width", share * length},
                                      {"height", bar_height},
                                      {"rx", "2"},
                                      {"fill", series_colour(0)}});
        svg += text_at(left + share * length + name_gap, middle, Anchor::start, bars[i].label);
    }
    svg += line_between({left, plot_top}, {left, bottom}, {{"stroke", "currentColor"}});
    return svg + text_at(left, bottom + line_height / 2, Anchor::start, text.x_label) + chart_end;
}

std::string scatter_chart(const ChartText& text, const std::vector<NamedPoint>& points,
                          const ScatterLook& look) {
    constexpr double radius = 5;
    require(!points.empty(), text.title, "expected a point, found none");
    const auto [x_range, y_range] = scatter_ranges(text, points, look.guides);
    require(!look.logarithmic_x || x_range.low > 0, text.title,
            "expected positive numbers on a logarithmic axis");
    const Frame frame{plot_left, plot_top, chart_width - plot_margin, plot_top + plot_height};
    const Scale x = look.logarithmic_x
                        ? Scale::logarithmic(x_range.low, x_range.high, frame.left, frame.right)
                        : Scale(x_range.low, x_range.high, frame.left, frame.right);
    const Scale y(y_range.low, y_range.high, frame.bottom, frame.top);

    std::string svg = chart_head(text, frame.bottom + below) + axes(text, frame, x, y);
    std::vector<Box> taken;
    for (const Guide& guide : look.guides) svg += guide_line(guide, frame, x, y, taken);
    if (look.front) svg += front_line(points, frame, x, y);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double at_x = x(points[i].point.x);
        const double at_y = y(points[i].point.y);
        if (const auto& interval = points[i].y_interval) {
            svg += whiskers(at_x, y(interval->low), y(interval->high), series_colour(i));
        }
        svg += dot(at_x, at_y, radius, series_colour(i));
        if (points[i].marked) svg += ring(at_x, at_y, 2 * radius);
        taken.push_back({at_x - radius, at_y - radius, at_x + radius, at_y + radius});
    }
    const Box picture{frame.left, frame.top, chart_width, frame.bottom};
    for (const NamedPoint& point : points) {
        const Box box = name_box(x(point.point.x), y(point.point.y), text_width(point.name), picture, taken);
        svg += text_at(box.left, (box.top + box.bottom) / 2, Anchor::start, point.name);
        taken.push_back(box);
    }
    return svg + chart_end;
}

std::string standalone(const std::string& svg) {
    constexpr std::string_view opening = "<svg ";
    constexpr std::string_view style =
        "<style>svg{color:#1c1c1c;background:#fff}"
        "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#161616}}</style>";
    // Inside a page, style, xmlns and XML declaration are not needed, and the namespace would look like an
    // external address.
    std::string file = svg;
    file.insert(file.find('>') + 1, style);
    file.insert(opening.size(), R"(xmlns="http://www.w3.org/2000/svg" )");
    file.insert(0, "<?xml version='1.0' encoding='UTF-8'?>\n");
    return file + '\n';
}

}  // namespace vgg19::tools
