#include "tools/charts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "engine/testing/error_of.h"
#include "tools/chart_parts.h"

using namespace vgg19::tools;
using vgg19::testing::error_of;

namespace {

const ChartText text{"Error & ratio", "Each <layer> alone", "ratio", "error"};

std::size_t count(const std::string& svg, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = svg.find(part); at != std::string::npos; at = svg.find(part, at + 1)) ++found;
    return found;
}

bool contains(const std::string& svg, const std::string& part) {
    return count(svg, part) > 0;
}

/// Checks that every tag is closed by the matching one, and that text contains no bare angle bracket.
bool well_formed(const std::string& svg) {
    std::vector<std::string> open;
    for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
        const std::size_t end = svg.find('>', at);
        if (end == std::string::npos) return false;
        const std::string tag = svg.substr(at + 1, end - at - 1);
        if (tag.find('<') != std::string::npos || count(tag, "\"") % 2 != 0) return false;
        if (tag.back() == '/' || tag.front() == '?') continue;
        if (tag.front() != '/') {
            open.push_back(tag.substr(0, tag.find(' ')));
        } else {
            if (open.empty() || open.back() != tag.substr(1)) return false;
            open.pop_back();
        }
    }
    return open.empty();
}

void check_common(const std::string& svg) {
    CHECK(well_formed(svg));
    CHECK(contains(svg, "viewBox=\"0 0 480.0 "));
    CHECK(contains(svg, "width=\"100%\""));
    CHECK(contains(svg, "<title>Error &amp; ratio</title>"));
    CHECK(contains(svg, "<desc>Each &lt;layer&gt; alone</desc>"));
    CHECK(contains(svg, "currentColor"));
    for (const char* outside : {"http", "href", "src=", "url(", "<script", "nan", "inf"}) {
        INFO(outside);
        CHECK_FALSE(contains(svg, outside));
    }
}

std::vector<Series> many_series(std::size_t number) {
    std::vector<Series> series;
    for (std::size_t i = 0; i < number; ++i) {
        const auto steep = static_cast<double>(i + 1);
        series.push_back({"features." + std::to_string(i), {{0.1, 0.01 * steep}, {0.5, 0.05 * steep}}});
    }
    return series;
}

/// The relative luminance defined by the Web Content Accessibility Guidelines 2.1.
double luminance(const std::string& colour) {
    double sum = 0;
    std::size_t at = 1;
    for (const double weight : {0.2126, 0.7152, 0.0722}) {
        const double value = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
        sum += weight * (value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
        at += 2;
    }
    return sum;
}

}  // namespace

TEST_CASE("Sixteen lines differ in colour or dashes, and each has its name at its end") {
    const std::string svg = line_chart(text, many_series(16));
    check_common(svg);
    CHECK(count(svg, "<polyline") == 16);
    std::set<std::string> looks;
    for (std::size_t i = 0; i < 16; ++i) {
        looks.insert(series_colour(i) + series_dashes(i));
        CHECK(contains(svg, ">features." + std::to_string(i) + "</text>"));
    }
    CHECK(looks.size() == 16);
}

TEST_CASE("A line goes from its first point to its last, higher for greater values") {
    const std::string svg = line_chart(text, {{"a", {{0, 0}, {0.5, 1}, {1, 2}}}});
    // Here the axes' ticks begin and end exactly at the data, so the line spans the whole frame.
    const Frame frame{66, 1.8 * line_height, 0, 1.8 * line_height + 280};
    CHECK(contains(svg, "points=\"" + place(frame.left) + ',' + place(frame.bottom) + ' '));
    CHECK(contains(svg, ',' + place(frame.top) + "\"/>"));
    CHECK(contains(svg, ">0.5</text>"));
    CHECK(contains(svg, ">2.0</text>"));
}

TEST_CASE("Colours stand out on black and on white") {
    for (std::size_t i = 0; i < most_series; ++i) {
        const double light = luminance(series_colour(i));
        INFO(series_colour(i));
        CHECK((light + 0.05) / 0.05 >= 3);
        CHECK(1.05 / (light + 0.05) >= 3);
    }
}

TEST_CASE("Bars are proportional to their values, with names and values next to them") {
    const std::string svg =
        bar_chart(text, {{"baseline", 574.7, "574.7 MB"}, {"a<b", 287.35, "287.4 MB"}, {"none", 0, "0 MB"}});
    check_common(svg);
    CHECK(count(svg, "<rect") == 3);
    const auto width = [&svg](std::size_t index) {
        std::size_t at = 0;
        for (std::size_t i = 0; i <= index; ++i) at = svg.find("<rect", at + 1);
        at = svg.find(" width=\"", at) + 8;
        return std::stod(svg.substr(at));
    };
    CHECK(width(0) > 200);
    CHECK(width(1) == doctest::Approx(width(0) / 2).epsilon(1e-3));
    CHECK(width(2) == 0);
    CHECK(contains(svg, ">574.7 MB</text>"));
    CHECK(contains(svg, ">a&lt;b</text>"));
    CHECK(contains(bar_chart(text, {{"a", 0, "0"}}), "<rect"));
}

TEST_CASE("Points have names, and whiskers where there is an interval") {
    const std::string svg =
        scatter_chart(text, {{"one", {10, 0.8}, Interval{0.78, 0.82}}, {"two", {10, 0.8}, std::nullopt}});
    check_common(svg);
    CHECK(count(svg, "<circle") == 2);
    CHECK(count(svg, "stroke-opacity=\"0.7\"") == 3);
    CHECK(contains(svg, ">one</text>"));
    // Two points at the same position: their names must not overlap.
    const auto name_place = [&svg](const std::string& name) {
        const std::size_t end = svg.find('>' + name + '<');
        const std::size_t begin = svg.rfind("translate(", end);
        return svg.substr(begin, svg.find(')', begin) - begin);
    };
    CHECK(name_place("one") != name_place("two"));
}

TEST_CASE("A standalone file has a namespace, and colours of text and background") {
    const std::string file = standalone(line_chart(text, many_series(2)));
    CHECK(well_formed(file));
    CHECK(file.rfind("<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" ",
                     0) == 0);
    CHECK(contains(file, "prefers-color-scheme:dark"));
    CHECK(count(file, "http") == 1);
}

TEST_CASE("Ticks are round numbers and enclose the data") {
    CHECK(round_ticks(0, 1, 6) == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
    CHECK(round_ticks(0, 574.7, 6).back() == 600);
    CHECK(round_ticks(0.1, 0.5, 5) == std::vector<double>{0.1, 0.2, 0.30000000000000004, 0.4, 0.5});
    CHECK(round_ticks(3, 3, 5).front() <= 3);
    CHECK(round_ticks(3, 3, 5).back() > 3);
    CHECK(round_ticks(0, 0, 5).size() >= 2);
    CHECK(round_ticks(-1, 1, 5).front() == -1);
    for (const double high : {1e-7, 0.037, 1.0, 19.6, 7e8}) {
        const std::vector<double> ticks = round_ticks(0, high, 6);
        INFO(high);
        CHECK(ticks.size() >= 3);
        CHECK(ticks.size() <= 9);
        CHECK(ticks.front() <= 0);
        CHECK(ticks.back() >= high);
    }
    CHECK(tick_text(0.30000000000000004, 0.1) == "0.3");
    CHECK(tick_text(0.25, 0.05) == "0.25");
    CHECK(tick_text(500, 100) == "500");
}

TEST_CASE("Names are moved apart, in order and within the picture") {
    std::vector<double> places = {50, 10, 51, 99};
    spread(places, 10, 0, 100);
    CHECK(places == std::vector<double>{50, 10, 60, 99});
    places = {98, 99, 100};
    spread(places, 10, 0, 100);
    CHECK(places == std::vector<double>{80, 90, 100});
}

TEST_CASE("Errors for charts that cannot be drawn name the chart's title") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_of(vgg19::ErrorKind::failed, [] { line_chart(text, {}); }) ==
          "chart \"Error & ratio\": expected a series, found none");
    CHECK(error_of(vgg19::ErrorKind::failed, [] { line_chart(text, many_series(17)); }) ==
          "chart \"Error & ratio\": expected at most 16 series, found 17");
    CHECK(error_of(vgg19::ErrorKind::failed, [] {
              line_chart(text, {{"a", {}}});
          }) == "chart \"Error & ratio\": a: expected a point, found none");
    CHECK(contains(error_of(vgg19::ErrorKind::failed,
                            [nan] {
                                line_chart(text, {{"a", {{0, nan}}}});
                            }),
                   "a: expected finite numbers"));
    CHECK(contains(error_of(vgg19::ErrorKind::failed, [] { bar_chart(text, {}); }), "expected a bar"));
    CHECK(contains(error_of(vgg19::ErrorKind::failed,
                            [] {
                                bar_chart(text, {{"a", -1, ""}});
                            }),
                   "not negative"));
    CHECK(contains(error_of(vgg19::ErrorKind::failed, [] { scatter_chart(text, {}); }), "expected a point"));
    CHECK(contains(error_of(vgg19::ErrorKind::failed,
                            [nan] {
                                scatter_chart(text, {{"a", {nan, 0}, std::nullopt}});
                            }),
                   "finite"));
}

TEST_CASE("A logarithmic axis has its ticks at 1, 2 and 5 times powers of ten, at equal distances by ratio") {
    const Scale scale = Scale::logarithmic(3, 30, 0, 100);
    CHECK(scale.ticks() == std::vector<double>{2, 5, 10, 20, 50});
    CHECK(scale(2) == doctest::Approx(0));
    CHECK(scale(50) == doctest::Approx(100));
    CHECK(scale(10) == doctest::Approx(50));
    CHECK(scale.tick_label(1) == "5");
    CHECK(Scale::logarithmic(0.02, 0.04, 0, 1).ticks().front() <= 0.02);
    CHECK(Scale::logarithmic(0.02, 0.04, 0, 1).ticks().back() >= 0.04);
    CHECK(Scale::logarithmic(7, 7, 0, 1).ticks() == std::vector<double>{5, 10});
    CHECK(Scale::logarithmic(1, 1, 0, 1).ticks() == std::vector<double>{1, 2});
}

TEST_CASE("A picture of a front has its line, guides with names, and a ring around what is marked") {
    NamedPoint marked{"kept", {5, 0.8}, std::nullopt, true};
    ScatterLook look;
    look.front = true;
    look.logarithmic_x = true;
    look.guides = {{"promise", 0.75, false}, {"limit", 6, true}};
    // The third is beaten by the first: slower and worse.
    const std::string svg = scatter_chart(
        text, {marked, {"fast", {2, 0.7}, std::nullopt}, {"beaten", {8, 0.78}, std::nullopt}}, look);
    check_common(svg);
    CHECK(count(svg, "stroke-dasharray=\"5 4\"") == 2);
    CHECK(contains(svg, ">promise</text>"));
    CHECK(contains(svg, ">limit</text>"));
    CHECK(count(svg, "r=\"10.0\"") == 1);
    const std::size_t line = svg.find("points=\"");
    REQUIRE(line != std::string::npos);
    const std::string places = svg.substr(line, svg.find('>', line) - line);
    CHECK(count(places, ",") == 4);  // the fast one, below the kept one, the kept one, the right end
    CHECK(contains(error_of(vgg19::ErrorKind::failed,
                            [&look] {
                                scatter_chart(text, {{"zero", {0, 1}, std::nullopt}}, look);
                            }),
                   "expected positive numbers"));
}
