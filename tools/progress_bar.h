// Shows the progress of long work.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/model/safetensors.h"

namespace vgg19::tools {

enum class ProgressUnit : unsigned char { bytes, items };

/// One line on standard error, redrawn in place; shown only on a terminal, and only after the work has taken
/// a second. The destructor erases it. Elsewhere nothing is shown, or, for long work, a line from time to
/// time.
class ProgressBar {
  public:
    ProgressBar(std::string task, ProgressUnit unit);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void update(std::uint64_t done, std::uint64_t total);
    /// Erases the line until the next update, so that other text can be printed.
    void clear();
    /// Text after the progress from now on, such as "loss 0.25".
    void set_note(std::string note) { note_ = std::move(note); }
    /// Work that was completed before; it does not count for the rate.
    void set_done_before(std::uint64_t done) { done_before_ = done; }
    /// The time between lines if standard error is not a terminal.
    void set_line_interval(std::chrono::seconds interval);
    /// For the library's functions; valid during this object's lifetime.
    model::Progress callback();

  private:
    using Clock = std::chrono::steady_clock;

    std::string task_;
    ProgressUnit unit_;
    bool terminal_;
    bool drawn_ = false;
    std::string note_;
    std::uint64_t done_before_ = 0;
    std::chrono::milliseconds interval_;  ///< between two lines; 0: no lines
    Clock::time_point start_;
    Clock::time_point next_draw_;
};

/// "converting  [#####.....]  50 %  287.3 MB of 574.7 MB  410.4 MB/s  1 s left". The seconds count the work
/// since `done_before`.
std::string progress_text(const std::string& task, ProgressUnit unit, std::uint64_t done, std::uint64_t total,
                          double seconds, std::uint64_t done_before = 0);

}  // namespace vgg19::tools
