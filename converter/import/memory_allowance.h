// What a file may still cost in memory.
#pragma once

#include <cstddef>

namespace vgg19::converter {

/// Pickles name the same text, tensor or list again and again, in two bytes each time. What is copied for
/// each time is taken from an allowance that grows with the file.
class MemoryAllowance {
  public:
    explicit MemoryAllowance(std::size_t bytes) : left_(bytes) {}

    /// Whether there was that much left; if so, it is gone.
    bool take(std::size_t bytes) {
        if (bytes > left_) return false;
        left_ -= bytes;
        return true;
    }

  private:
    std::size_t left_;
};

}  // namespace vgg19::converter
