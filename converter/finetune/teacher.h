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
    /// these `classes`, as far as both have names.
    Teacher(const Model& model, MapSize input_size, std::size_t most_images, const ModelClasses& classes,
            int threads);

    /// The input that it expects.
    InputFormat format() const { return {session_.model().preprocessing(), session_.input_size()}; }
    /// The logits (count, classes) of the first `count` of the images, count ≥ 1; valid until the next call.
    /// Throws Error (failed) for logits that are not finite.
    std::span<const float> logits(std::span<const float> images, std::size_t count);

  private:
    std::size_t classes_;
    Session session_;
    std::vector<float> last_images_;  ///< a last run may have fewer images than the session takes
    std::vector<float> logits_;
};

/// What images are read as for a network and its teacher: one format if both expect the same, else two. The
/// teacher, which may be null, gets the last.
std::vector<InputFormat> input_formats(const InputFormat& network, const Teacher* teacher);

}  // namespace vgg19::converter
