// A step of a program that is ready to run: a kernel with its packed weights and shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/layers/execution.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

class Operation {
  public:
    Operation() = default;
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    virtual ~Operation() = default;

    /// Input and output are activations in the planned formats; they must not overlap. `scratch` has
    /// scratch_bytes() bytes. All are aligned to 64 bytes, except images and logits, which are aligned as
    /// floats. Allocates nothing. Not thread-safe: an operation may store intermediate results.
    virtual void run(const std::byte* input, std::byte* output, std::byte* scratch) = 0;

    /// Prepares it for inputs of this size (of convolutions; dense layers keep theirs) and for the
    /// execution's batch, with the weights that are packed. False if it cannot: then it is as it was.
    virtual bool reshape(MapSize /*size*/, const Execution& /*execution*/) { return false; }

    /// Lets runs record which of their outputs are positive, a bit each (kernels/relu/relu.h). False: it
    /// cannot.
    virtual bool record_positive(std::uint8_t* /*bits*/) { return false; }

    virtual std::string kernel() const = 0;  ///< the kernel's name in profiles and reports
    virtual std::size_t scratch_bytes() const { return 0; }
    virtual std::size_t weight_bytes() const { return 0; }  ///< packed: the most that a run reads
    virtual std::uint64_t operations() const {
        return 0;
    }  ///< multiplications and additions that a run executes
};

}  // namespace vgg19::layers
