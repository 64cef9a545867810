// How far a long piece of work is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "engine/model/safetensors.h"

namespace vgg19::tools {

enum class ProgressUnit : unsigned char { bytes, items };

/// One line on standard error that is redrawn in place, only on a terminal and only once the work has taken
/// a second. It goes away with the object.
class ProgressBar {
  public:
    ProgressBar(std::string task, ProgressUnit unit);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void update(std::uint64_t done, std::uint64_t total);
    /// For the library's functions; valid as long as this object.
    model::Progress callback();

  private:
    using Clock = std::chrono::steady_clock;

    std::string task_;
    ProgressUnit unit_;
    bool terminal_;
    bool drawn_ = false;
    Clock::time_point start_;
    Clock::time_point next_draw_;
};

/// "converting  [#####.....]  50 %  287.3 MB of 574.7 MB  410.4 MB/s  1 s left".
std::string progress_text(const std::string& task, ProgressUnit unit, std::uint64_t done, std::uint64_t total,
                          double seconds);

}  // namespace vgg19::tools
