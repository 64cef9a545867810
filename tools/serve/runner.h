// The interface through which jobs use the variants.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tools/serve/variant_thread.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

namespace vgg19::server {

struct Outcome {
    double ms = 0;             ///< from pixels to predictions
    bool in_parallel = false;  ///< another variant ran at the same time, at least partly
    std::vector<Prediction> top;
    std::vector<float> logits;
    std::vector<double> layer_seconds;  ///< one per layer in layers(); empty unless requested
};

/// Thread-safe. Variants are identified by their index in ids().
class Runner {
  public:
    virtual ~Runner() = default;

    virtual const std::vector<std::string>& ids() const = 0;
    virtual const std::vector<PlanStep>& layers(std::size_t variant) const = 0;

    /// Whether the answers of two variants are comparable.
    virtual bool have_same_classes(std::size_t one, std::size_t other) const = 0;

    /// The number of threads of a session.
    virtual int threads() const = 0;

    /// The memory that classify() takes at most, in addition to what the variant always has.
    virtual std::size_t run_bytes(std::size_t variant, std::size_t width, std::size_t height,
                                  std::size_t top) const = 0;

    /// Begins a call on the variant's own thread.
    virtual void begin(std::size_t variant, Call& call) noexcept = 0;

    // These wait while another thread runs the same variant, and throw Error (cancelled) soon after
    // `is_cancelled` has returned true.

    /// `top` may exceed the number of classes.
    virtual Outcome classify(std::size_t variant, const ImageView& image, std::size_t top, bool profile,
                             const std::function<bool()>& is_cancelled) = 0;

    /// (n, 3, height, width) normalised values to (n, classes) logits.
    virtual void infer(std::size_t variant, std::span<const float> input, std::span<float> logits,
                       const std::function<bool()>& is_cancelled) = 0;
};

}  // namespace vgg19::server
