// What is done to maps and vectors because they are outputs of a session, on all its threads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// Floats of `channels` maps in the blocked layout → scale times these, as [batch][channels][height][width].
/// Each channel is also multiplied by its factor, if there are factors.
std::unique_ptr<Operation> make_plain_output(std::size_t channels, MapSize size, float scale,
                                             std::span<const float> factors, const Execution& execution);

/// Copies this many floats.
std::unique_ptr<Operation> make_copy(std::size_t values);

/// max(0, x) of this many floats of blocked maps, in place.
std::unique_ptr<Operation> make_relu(std::size_t values, const Execution& execution);
/// The same of vectors, to other memory.
std::unique_ptr<Operation> make_vector_relu(std::size_t values);

/// [batch][classes] → probabilities of each image.
std::unique_ptr<Operation> make_softmax(std::size_t classes, const Execution& execution);

}  // namespace vgg19::layers
