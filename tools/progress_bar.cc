#include "tools/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <utility>

#include "tools/text.h"

namespace vgg19::tools {

namespace {

constexpr std::chrono::seconds patience{1};
constexpr std::chrono::milliseconds redraw_interval{100};
constexpr const char* clear_line = "\r\033[K";

std::string amount(ProgressUnit unit, std::uint64_t count) {
    return unit == ProgressUnit::bytes ? megabytes(count) : std::to_string(count);
}

std::string time_left(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
    if (whole < 60) return std::to_string(whole) + " s";
    if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

}  // namespace

std::string progress_text(const std::string& task, ProgressUnit unit, std::uint64_t done, std::uint64_t total,
                          double seconds) {
    constexpr std::size_t bar_width = 20;
    done = std::min(done, total);
    const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
    const auto filled = static_cast<std::size_t>(share * bar_width);
    std::string text = task + "  [" + std::string(filled, '#') + std::string(bar_width - filled, '.') +
                       "]  " + std::to_string(static_cast<int>(share * 100)) + " %  " + amount(unit, done) +
                       " of " + amount(unit, total);
    if (done == 0 || seconds <= 0) return text;
    const double rate = static_cast<double>(done) / seconds;
    text += "  " +
            (unit == ProgressUnit::bytes ? megabytes(static_cast<std::uint64_t>(rate)) : fixed(rate, 1)) +
            "/s";
    return text + "  " + time_left(static_cast<double>(total - done) / rate) + " left";
}

ProgressBar::ProgressBar(std::string task, ProgressUnit unit)
    : task_(std::move(task)),
      unit_(unit),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_draw_(start_ + patience) {}

ProgressBar::~ProgressBar() {
    if (drawn_) std::cerr << clear_line << std::flush;
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total) {
    if (!terminal_) return;
    const Clock::time_point now = Clock::now();
    if (now < next_draw_) return;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    std::cerr << clear_line << progress_text(task_, unit_, done, total, seconds) << std::flush;
    drawn_ = true;
    next_draw_ = now + redraw_interval;
}

model::Progress ProgressBar::callback() {
    return [this](std::uint64_t done, std::uint64_t total) { update(done, total); };
}

}  // namespace vgg19::tools
