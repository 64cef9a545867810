// Building blocks of charts: a scale from numbers to positions, and pieces of SVG.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tools/charts.h"

namespace vgg19::tools {

inline constexpr double chart_width = 480;
inline constexpr double font_size = 13;
inline constexpr double line_height = 17;

/// A coordinate with one digit after the point, which is finer than a pixel.
std::string place(double number);

struct Attribute {
    Attribute(std::string attribute_name, std::string text)
        : name(std::move(attribute_name)), value(std::move(text)) {}
    Attribute(std::string attribute_name, double number)
        : Attribute(std::move(attribute_name), place(number)) {}
    std::string name;
    std::string value;
};
using Attributes = std::vector<Attribute>;

/// The opening tag of an element; attributes with an empty value are left out.
std::string tag(const std::string& name, const Attributes& attributes);
/// An element without content, on its own line.
std::string empty_element(const std::string& name, const Attributes& attributes);

/// The approximate width of a text in a common font.
double text_width(const std::string& text);

/// Maps numbers to positions along an axis, and provides its ticks. Starts at zero if that leaves at least
/// half of the axis for the data.
class Scale {
  public:
    Scale(double low, double high, double begin, double end);
    /// The same by the logarithms of positive numbers, with ticks at 1, 2 and 5 times powers of ten.
    static Scale logarithmic(double low, double high, double begin, double end);
    double operator()(double number) const;
    const std::vector<double>& ticks() const { return ticks_; }
    std::string tick_label(std::size_t index) const;

  private:
    Scale(std::vector<double> ticks, double begin, double end, bool is_logarithmic)
        : ticks_(std::move(ticks)), begin_(begin), end_(end), is_logarithmic_(is_logarithmic) {}

    std::vector<double> ticks_;
    double begin_;
    double end_;
    bool is_logarithmic_ = false;
};

enum class Anchor : unsigned char { start, middle, end };

/// The start of a chart: the opening tag, title and description for screen readers, and the visible title.
std::string chart_head(const ChartText& text, double height);
/// Closes it.
inline constexpr const char* chart_end = "</svg>";

/// Text that is vertically centred at `y`. `turned` text reads upwards.
std::string text_at(double x, double y, Anchor anchor, const std::string& text, bool turned = false);
std::string line_between(ChartPoint from, ChartPoint to, const Attributes& look);

struct Frame {
    double left = 0;
    double top = 0;
    double right = 0;
    double bottom = 0;
};

/// Grid lines with numbers, and the labels of both axes.
std::string axes(const ChartText& text, const Frame& frame, const Scale& x, const Scale& y);

/// The colour of a series or point, by index.
std::string series_colour(std::size_t index);
/// Its dash pattern; "" (a solid line) for the first ones.
std::string series_dashes(std::size_t index);
/// Colour and dashes as attributes of a line.
Attributes series_look(std::size_t index);

/// Moves positions apart until neighbours are at least `distance` from each other, within [low, high] as far
/// as possible; keeps their order.
void spread(std::vector<double>& places, double distance, double low, double high);

}  // namespace vgg19::tools
