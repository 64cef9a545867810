// Today's report against an earlier one.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/report.h"

namespace vgg19::bench {

/// What is kept of an earlier report.
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

/// Reads a report in JSON. Throws Error (bad_input).
EarlierReport read_report(const std::filesystem::path& path);

/// Speed-ups depend on the batch: throws Error (usage) for a report of another one.
void require_batch(const EarlierReport& report, std::size_t batch);

/// A line for each variant of `now` that has become slower by more than `tolerance` (0.1: ten per cent).
/// Medians are taken relative to the baseline variant's of the same run, since a machine's speed changes from
/// hour to hour; the baseline's own median is compared as it is, and only when CPU, ISA and threads are the
/// same. Variants that only one of the reports has are left out.
std::vector<std::string> slower_variants(const EarlierReport& then, const Report& now, double tolerance);

}  // namespace vgg19::bench
