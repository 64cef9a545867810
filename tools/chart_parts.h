// What the charts are drawn with: a scale from numbers to places, and pieces of SVG.
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

/// A number with one digit after the point, which is finer than a screen.
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

/// The tag that opens an element; attributes without a value are left out.
std::string tag(const std::string& name, const Attributes& attributes);
/// One that holds nothing, on a line of its own.
std::string empty_element(const std::string& name, const Attributes& attributes);

/// About as wide as the text is in a common font.
double text_width(const std::string& text);

/// From numbers to places along one axis, with its ticks. Begins at zero where that wastes less than half of
/// the place.
class Scale {
  public:
    Scale(double low, double high, double begin, double end);
    double operator()(double number) const;
    const std::vector<double>& ticks() const { return ticks_; }
    std::string tick_label(std::size_t index) const {
        return tick_text(ticks_[index], ticks_[1] - ticks_[0]);
    }

  private:
    std::vector<double> ticks_;
    double begin_;
    double end_;
};

enum class Anchor : unsigned char { start, middle, end };

/// The element that opens every chart, its title and description, and the title once more to be seen.
std::string chart_head(const ChartText& text, double height);
/// Closes it.
inline constexpr const char* chart_end = "</svg>";

/// The text's middle line is at `y`. `turned` reads upwards.
std::string text_at(double x, double y, Anchor anchor, const std::string& text, bool turned = false);
std::string line_between(ChartPoint from, ChartPoint to, const Attributes& look);

struct Frame {
    double left = 0;
    double top = 0;
    double right = 0;
    double bottom = 0;
};

/// Grid lines with their numbers, and the labels of both axes.
std::string axes(const ChartText& text, const Frame& frame, const Scale& x, const Scale& y);

/// The colour of the series or point of that index.
std::string series_colour(std::size_t index);
/// Its dashes and the gaps between them: "" for the first ones, whose line is whole.
std::string series_dashes(std::size_t index);
/// Both, as the attributes of a line.
Attributes series_look(std::size_t index);

/// Moves places apart until neighbours are at least `distance` from each other, all within [low, high] as far
/// as there is room; their order stays.
void spread(std::vector<double>& places, double distance, double low, double high);

}  // namespace vgg19::tools
