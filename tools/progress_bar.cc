#include "tools/progress_bar.h"

#include <sys/ioctl.h>
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

/// A line that wraps cannot be redrawn.
std::size_t terminal_width() {
    winsize size{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : std::string::npos;
}

}  // namespace

std::string progress_text(const std::string& task, ProgressUnit unit, std::uint64_t done, std::uint64_t total,
                          double seconds, std::uint64_t done_before) {
    constexpr std::size_t bar_width = 20;
    done = std::min(done, total);
    const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
    const auto filled = static_cast<std::size_t>(share * bar_width);
    std::string text = task + "  [" + std::string(filled, '#') + std::string(bar_width - filled, '.') +
                       "]  " + std::to_string(static_cast<int>(share * 100)) + " %  " + amount(unit, done) +
                       " of " + amount(unit, total);
    if (done <= done_before || seconds <= 0) return text;
    const double rate = static_cast<double>(done - done_before) / seconds;
    text += "  " +
            (unit == ProgressUnit::bytes ? megabytes(static_cast<std::uint64_t>(rate)) : fixed(rate, 1)) +
            "/s";
    return text + "  " + time_left(static_cast<double>(total - done) / rate) + " left";
}

ProgressBar::ProgressBar(std::string task, ProgressUnit unit)
    : task_(std::move(task)),
      unit_(unit),
      terminal_(isatty(STDERR_FILENO) == 1),
      interval_(terminal_ ? redraw_interval : std::chrono::milliseconds::zero()),
      start_(Clock::now()),
      next_draw_(start_ + patience) {}

ProgressBar::~ProgressBar() {
    clear();
}

void ProgressBar::clear() {
    if (drawn_) std::cerr << clear_line << std::flush;
    drawn_ = false;
}

void ProgressBar::set_line_interval(std::chrono::seconds interval) {
    if (terminal_) return;
    interval_ = interval;
    next_draw_ = start_ + interval;
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total) {
    if (interval_.count() == 0) return;
    const Clock::time_point now = Clock::now();
    if (now < next_draw_) return;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const std::string text =
        progress_text(task_, unit_, done, total, seconds, done_before_) + (note_.empty() ? "" : "  " + note_);
    if (terminal_) {
        std::cerr << clear_line << text.substr(0, terminal_width()) << std::flush;
        drawn_ = true;
    } else {
        std::cerr << text << std::endl;
    }
    next_draw_ = now + interval_;
}

model::Progress ProgressBar::callback() {
    return [this](std::uint64_t done, std::uint64_t total) { update(done, total); };
}

}  // namespace vgg19::tools
