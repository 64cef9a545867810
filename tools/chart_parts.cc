#include "tools/chart_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/model/foreign_text.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t ticks_of_an_axis = 6;
constexpr double tick_gap = 6;  // between an axis and its numbers

/// With a contrast of at least 3:1 against both black and white, as required for graphics.
constexpr std::array<const char*, 8> colours = {"#2f7fd0", "#cf5a2c", "#23916c", "#a564c4",
                                                "#a07a12", "#17899e", "#d04f86", "#7d7d7d"};
constexpr std::array<const char*, 2> dashes = {"", "6 4"};
static_assert(colours.size() * dashes.size() == most_series);

/// Starts the axis at zero if the numbers are not far from it.
double from_zero(double low, double high) {
    return low > 0 && low <= high / 2 ? 0 : low;
}

std::string anchor_name(Anchor anchor) {
    if (anchor == Anchor::start) return "start";
    return anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

std::string place(double number) {
    return fixed(number, 1);
}

double text_width(const std::string& text) {
    constexpr double share = 0.56;  // average width of a letter relative to its height
    constexpr double wide_share = 0.85;
    double width = 0;
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;  // goes on with a letter
        width += c == 'm' || c == 'w' || c == 'M' || c == 'W' ? wide_share : share;
    }
    return width * font_size;
}

Scale::Scale(double low, double high, double begin, double end)
    : ticks_(round_ticks(from_zero(low, high), high, ticks_of_an_axis)), begin_(begin), end_(end) {}

Scale Scale::logarithmic(double low, double high, double begin, double end) {
    // From the tick below the lowest number to the one above the highest.
    const auto power = static_cast<int>(std::floor(std::log10(low)));
    std::vector<double> ticks;
    for (int at = power; ticks.empty() || ticks.back() < high; ++at) {
        for (const double round : {1.0, 2.0, 5.0}) {
            const double tick = round * std::pow(10, at);
            if (!ticks.empty() && ticks.back() >= high && ticks.size() > 1) break;
            if (!ticks.empty() && tick <= low) ticks.clear();
            ticks.push_back(tick);
        }
    }
    return {std::move(ticks), begin, end, true};
}

std::string Scale::tick_label(std::size_t index) const {
    return is_logarithmic_ ? shortest_text(ticks_[index]) : tick_text(ticks_[index], ticks_[1] - ticks_[0]);
}

double Scale::operator()(double number) const {
    if (is_logarithmic_) {
        const double first = std::log(ticks_.front());
        return begin_ + (std::log(number) - first) / (std::log(ticks_.back()) - first) * (end_ - begin_);
    }
    return begin_ + (number - ticks_.front()) / (ticks_.back() - ticks_.front()) * (end_ - begin_);
}

std::string tag(const std::string& name, const Attributes& attributes) {
    std::string result = '<' + name;
    for (const Attribute& attribute : attributes) {
        if (!attribute.value.empty()) result += ' ' + attribute.name + "=\"" + attribute.value + '"';
    }
    return result + '>';
}

std::string empty_element(const std::string& name, const Attributes& attributes) {
    std::string result = tag(name, attributes);
    return result.insert(result.size() - 1, 1, '/') + '\n';
}

std::string chart_head(const ChartText& text, double height) {
    const std::string head = tag("svg", {{"role", "img"},
                                         {"viewBox", "0 0 " + place(chart_width) + ' ' + place(height)},
                                         {"width", "100%"},
                                         {"font-family", "system-ui, sans-serif"},
                                         {"font-size", font_size},
                                         {"fill", "currentColor"}});
    return head + "\n<title>" + escaped(text.title) + "</title>\n<desc>" + escaped(text.description) +
           "</desc>\n" + tag("g", {{"font-weight", "600"}}) +
           text_at(0, line_height / 2, Anchor::start, text.title) + "</g>\n";
}

std::string text_at(double x, double y, Anchor anchor, const std::string& text, bool turned) {
    // Shifted down by a third of the font size, the middle of lower-case letters; not all renderers know
    // dominant-baseline.
    const std::string move = "translate(" + place(x) + ' ' + place(y) + ')';
    return tag("text", {{"transform", move + (turned ? " rotate(-90)" : "")},
                        {"y", font_size / 3},
                        {"text-anchor", anchor_name(anchor)}}) +
           escaped(text) + "</text>\n";
}

std::string line_between(ChartPoint from, ChartPoint to, const Attributes& look) {
    Attributes attributes = {{"x1", from.x}, {"y1", from.y}, {"x2", to.x}, {"y2", to.y}};
    attributes.insert(attributes.end(), look.begin(), look.end());
    return empty_element("line", attributes);
}

std::string axes(const ChartText& text, const Frame& frame, const Scale& x, const Scale& y) {
    const Attributes grid = {{"stroke", "currentColor"}, {"stroke-opacity", "0.18"}};
    std::string svg;
    for (std::size_t i = 0; i < x.ticks().size(); ++i) {
        const double at = x(x.ticks()[i]);
        svg += line_between({at, frame.top}, {at, frame.bottom}, grid);
        svg += text_at(at, frame.bottom + tick_gap + line_height / 2, Anchor::middle, x.tick_label(i));
    }
    for (std::size_t i = 0; i < y.ticks().size(); ++i) {
        const double at = y(y.ticks()[i]);
        svg += line_between({frame.left, at}, {frame.right, at}, grid);
        svg += text_at(frame.left - tick_gap, at, Anchor::end, y.tick_label(i));
    }
    const double middle = (frame.left + frame.right) / 2;
    svg += text_at(middle, frame.bottom + tick_gap + 1.5 * line_height, Anchor::middle, text.x_label);
    svg += text_at(line_height / 2, (frame.top + frame.bottom) / 2, Anchor::middle, text.y_label, true);
    return svg;
}

std::string series_colour(std::size_t index) {
    return colours[index % colours.size()];
}

std::string series_dashes(std::size_t index) {
    return dashes[index / colours.size() % dashes.size()];
}

Attributes series_look(std::size_t index) {
    return {
        {"stroke", series_colour(index)}, {"stroke-dasharray", series_dashes(index)}, {"stroke-width", "2"}};
}

void spread(std::vector<double>& places, double distance, double low, double high) {
    std::vector<std::size_t> order(places.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&places](std::size_t a, std::size_t b) { return places[a] < places[b]; });
    double least = low;
    for (const std::size_t i : order) {
        places[i] = std::max(places[i], least);
        least = places[i] + distance;
    }
    double most = high;
    std::reverse(order.begin(), order.end());
    for (const std::size_t i : order) {
        places[i] = std::min(places[i], most);
        most = places[i] - distance;
    }
}

std::vector<double> round_ticks(double low, double high, std::size_t count) {
    if (!(high > low)) {
        const double room = low == 0 ? 1 : std::abs(low) / 2;
        high = low + room;
        low -= low == 0 ? 0 : room;
    }
    const double raw = (high - low) / static_cast<double>(std::max<std::size_t>(count, 2) - 1);
    const double power = std::pow(10, std::floor(std::log10(raw)));
    double step = 10 * power;
    for (const double round : {5.0, 2.0, 1.0}) {
        // The tolerance allows for rounding: 0.1 / 5 is not exactly 0.02.
        if (round * power >= raw * (1 - 1e-9)) step = round * power;
    }
    const double hair = 1e-9;
    const double first = std::floor(low / step + hair);
    const double last = std::ceil(high / step - hair);
    std::vector<double> ticks;
    for (double tick = first; tick <= last; ++tick) ticks.push_back(tick * step);
    return ticks;
}

std::string tick_text(double tick, double step) {
    const int digits = std::clamp(-static_cast<int>(std::floor(std::log10(step) + 1e-9)), 0, 9);
    return fixed(tick == 0 ? 0 : tick, digits);
}

std::string escaped(std::string_view text) {
    constexpr std::size_t longest = 10'000;
    std::string result;
    for (const char letter :
         model::printable(text, longest)) {  // SVG is XML, which has no control characters
        switch (letter) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += letter;
        }
    }
    return result;
}

}  // namespace vgg19::tools
