// One step of a program, ready to run: a kernel with its packed weights and the shapes that it works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vgg19::layers {

class Operation {
  public:
    Operation() = default;
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    virtual ~Operation() = default;

    /// Input and output are activations in the formats that the step was planned with; they do not overlap.
    /// `scratch` has scratch_bytes() bytes. All are aligned to 64, but for an image and for logits, which are
    /// aligned as floats. Allocates nothing. Not for two threads at once: an operation may keep what it makes
    /// of its input.
    virtual void run(const std::byte* input, std::byte* output, std::byte* scratch) = 0;

    virtual std::string kernel() const = 0;  ///< as a profiler or a report shows it
    virtual std::size_t scratch_bytes() const { return 0; }
    virtual std::size_t weight_bytes() const { return 0; }  ///< packed: what a run reads at most
    virtual std::uint64_t operations() const { return 0; }  ///< products and sums that a run executes
};

}  // namespace vgg19::layers
