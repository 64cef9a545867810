// What is found out about each variant: its predictions and layers here, its latency and memory in a process
// of its own.
#pragma once

#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/report.h"
#include "converter/variants/variants.h"
#include "vgg19/image.h"

namespace vgg19::bench {

/// Rounds that the measured time is spread over.
inline constexpr int measurement_rounds = 5;

/// File, size, predictions, agreement and, when `peaks` is given, the time of each layer. One session at a
/// time.
std::vector<VariantReport> examine(const std::vector<converter::Variant>& variants, const Options& options,
                                   const Image& image, const std::optional<Peaks>& peaks);

/// The words of the command line that starts the worker of a variant. `program` is those that start this
/// bench again.
std::vector<std::string> worker_words(const converter::Variant& variant, const Options& options,
                                      const std::vector<std::string>& program);

/// Adds latencies, images per second, speed-ups and peak memory. One process a variant; in each round, every
/// variant in turn runs one inference to warm up and then some that count, so that a busy machine slows all
/// of them alike.
void measure(const std::vector<converter::Variant>& variants, const Options& options,
             const std::vector<std::string>& program, std::vector<VariantReport>& reports);

}  // namespace vgg19::bench
