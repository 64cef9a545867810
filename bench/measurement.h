// Measures variants: predictions and layers in this process, latency and memory in a separate process per
// variant.
#pragma once

#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/report.h"
#include "converter/variants/variants.h"
#include "vgg19/image.h"

namespace vgg19::bench {

/// The number of rounds over which the measuring time is distributed.
inline constexpr int measurement_rounds = 5;

/// Determines file, size, predictions, agreement and, if `peaks` is set, the time of each layer. Only one
/// session exists at a time.
std::vector<VariantReport> examine(const std::vector<converter::Variant>& variants, const Options& options,
                                   const Image& image, const std::optional<Peaks>& peaks);

/// The command line that starts a variant's worker. `program` are the words that start this bench again.
std::vector<std::string> worker_words(const converter::Variant& variant, const Options& options,
                                      const std::vector<std::string>& program);

/// Adds latencies, images per second, speed-ups, peak memory and, if there are settings to compare, the
/// scaling. Each variant at each setting has its own process. In each round, every one in turn runs one
/// warm-up inference and then some measured ones, so that other load on the machine slows all equally.
void measure(const std::vector<converter::Variant>& variants, const Options& options,
             const std::vector<std::string>& program, std::vector<VariantReport>& reports);

}  // namespace vgg19::bench
