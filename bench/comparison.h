// Compares a report with an earlier one.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/report.h"

namespace vgg19::bench {

/// The values of an earlier report that are needed.
struct EarlierReport {
    struct Variant {
        double median_ms = 0;
        std::optional<double> speedup;
    };
    std::string cpu;
    std::string isa;
    int threads = 0;
    std::size_t batch = 1;
    std::map<std::string, Variant> variants;
};

/// Reads a JSON report. Throws Error (bad_input).
EarlierReport read_report(const std::filesystem::path& path);

/// Throws Error (usage) if the report has another batch size, on which speed-ups depend.
void require_batch(const EarlierReport& report, std::size_t batch);

/// One line for each variant of `now` that has become slower by more than `tolerance` (0.1 is ten per cent).
/// Medians are compared relative to the baseline variant of the same run, because a machine's speed varies
/// over time. The baseline's own median is compared directly, but only if CPU, ISA and threads are the same.
/// Variants that only one report has are ignored.
std::vector<std::string> slower_variants(const EarlierReport& then, const Report& now, double tolerance);

}  // namespace vgg19::bench
