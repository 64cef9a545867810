// Lets the caller end decoding.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>

namespace vgg19 {

/// Counts decoded pixels and asks the caller from time to time whether decoding shall go on.
class Progress {
  public:
    static constexpr std::size_t pixels_between_questions = 50'000;

    /// `is_cancelled` may be empty, and must live as long as this.
    explicit Progress(const std::function<bool()>& is_cancelled) : is_cancelled_(is_cancelled) {}

    /// Throws Error (cancelled), or what the caller's function has thrown.
    void advance(std::size_t pixels) {
        if (!goes_on(pixels)) stop();
    }

    /// The same for callbacks of C libraries, which no exception may pass: false means that decoding shall
    /// end. Call stop() as soon as the library has returned.
    bool goes_on(std::size_t pixels) noexcept {
        if (is_stopped_) return false;
        pixels_ += pixels;
        return pixels_ < pixels_between_questions || ask();
    }

    bool is_stopped() const { return is_stopped_; }
    [[noreturn]] void stop() const;

  private:
    bool ask() noexcept;

    const std::function<bool()>& is_cancelled_;
    std::size_t pixels_ = pixels_between_questions;  // so that the first question comes at once
    bool is_stopped_ = false;
    std::exception_ptr thrown_;
};

}  // namespace vgg19
