// How far a long piece of work is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/model/safetensors.h"

namespace vgg19::tools {

enum class ProgressUnit : unsigned char { bytes, items };

/// One line on standard error that is redrawn in place, only on a terminal and only once the work has taken
/// a second. It goes away with the object. Elsewhere there is nothing, or, of long work, a line now and then.
class ProgressBar {
  public:
    ProgressBar(std::string task, ProgressUnit unit);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void update(std::uint64_t done, std::uint64_t total);
    /// Takes the line away until the next update, so that something else can be said.
    void clear();
    /// What follows the line from now on, such as "loss 0.25".
    void set_note(std::string note) { note_ = std::move(note); }
    /// Done already before this began: it does not count for the rate.
    void set_done_before(std::uint64_t done) { done_before_ = done; }
    /// How often there is a line where standard error is no terminal.
    void set_line_interval(std::chrono::seconds interval);
    /// For the library's functions; valid as long as this object.
    model::Progress callback();

  private:
    using Clock = std::chrono::steady_clock;

    std::string task_;
    ProgressUnit unit_;
    bool terminal_;
    bool drawn_ = false;
    std::string note_;
    std::uint64_t done_before_ = 0;
    std::chrono::milliseconds interval_;  ///< between two lines; none: 0
    Clock::time_point start_;
    Clock::time_point next_draw_;
};

/// "converting  [#####.....]  50 %  287.3 MB of 574.7 MB  410.4 MB/s  1 s left". The seconds are those since
/// `done_before`.
std::string progress_text(const std::string& task, ProgressUnit unit, std::uint64_t done, std::uint64_t total,
                          double seconds, std::uint64_t done_before = 0);

}  // namespace vgg19::tools
