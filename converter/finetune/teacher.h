// A finished model whose answers a model in training imitates.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/evaluate/class_order.h"
#include "converter/evaluate/image_reader.h"
#include "vgg19/session.h"

namespace vgg19::converter {

/// Runs a classifier of any kind (FP32, INT8, …) on the images that training shows. A session of its own does
/// it, which is several times cheaper than a forward pass in training. Not thread-safe.
class Teacher {
  public:
    /// For up to `most_images` images at a time, at `input_size`. Throws Error (usage) unless the model has
    /// these `classes`, as far as both have names. `with_pools`: its max-pools are outputs too.
    Teacher(const Model& model, MapSize input_size, std::size_t most_images, const ModelClasses& classes,
            bool with_pools, int threads);

    /// The input that it expects.
    InputFormat format() const { return {session_.model().preprocessing(), session_.input_size()}; }
    /// Runs the first `count` of the images, count ≥ 1. Throws Error (failed) for logits that are not finite.
    void run(std::span<const float> images, std::size_t count);
    /// Of the last run: (count, classes).
    std::span<const float> logits() const { return first_images(logits_output, count_); }
    /// The number of max-pools that are outputs, and what the last run gave there, from image `first` on:
    /// (count, channels, height, width).
    std::size_t pools() const { return values_.size() - 1; }
    std::span<const float> pool(std::size_t pool, std::size_t first, std::size_t count) const;
    std::size_t pool_channels(std::size_t pool) const { return session_.outputs()[pool + 1].shape[1]; }

  private:
    static constexpr std::size_t logits_output = 0;

    /// The size of an output for one image, in floats.
    std::size_t image_size(std::size_t output) const {
        return session_.outputs()[output].size() / session_.batch();
    }
    std::span<const float> first_images(std::size_t output, std::size_t count) const {
        return std::span(values_[output]).first(count * image_size(output));
    }

    Session session_;
    std::size_t count_ = 0;
    std::vector<float> last_images_;          ///< a last run may have fewer images than the session takes
    std::vector<std::vector<float>> values_;  ///< of each output: logits, then pools
};

/// What images are read as for a network and its teacher: one format if both expect the same, else two. The
/// teacher, which may be null, gets the last.
std::vector<InputFormat> input_formats(const InputFormat& network, const Teacher* teacher);

}  // namespace vgg19::converter
