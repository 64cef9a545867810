// What a worker runs on command: a network's logits, maps of its layers, or a loss of these with its
// gradient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vgg19/session.h"

namespace vgg19::bench {

class WorkerJob {
  public:
    /// `input` is of the session's input size and batch. With `backward`, the loss is Σ mean |output −
    /// target| over the session's outputs, and the targets are half of what they are for this input.
    WorkerJob(Session& session, std::vector<float> input, bool backward);

    void run();
    /// The indices of the largest values of what the last run gave, three at most: of the first image's
    /// channels of the last output, by their mean; with `backward`, of the input's gradient.
    std::vector<std::size_t> top() const;
    /// Of the bits of what the last run gave for the first image; FNV-1a, 64 bits.
    std::uint64_t hash() const;

  private:
    std::span<const float> first_image(std::size_t output) const;

    Session& session_;
    std::vector<float> input_;
    std::vector<std::vector<float>> outputs_;
    std::vector<std::span<float>> results_;
    // Only with `backward`:
    std::vector<std::vector<float>> targets_;
    std::vector<std::span<const float>> output_gradients_;  ///< they take the place of the outputs
    std::vector<float> input_gradient_;
};

}  // namespace vgg19::bench
