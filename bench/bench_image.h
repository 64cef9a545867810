// The photograph that the variants classify.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "vgg19/image.h"

namespace vgg19::bench {

/// The image in the file, or the bundled landscape. Throws Error (bad_input).
Image bench_image(const std::optional<std::filesystem::path>& file);

/// Repeats the values of one input to fill a batch.
void fill_batch(std::vector<float>& values, std::size_t batch);

}  // namespace vgg19::bench
