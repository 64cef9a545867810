// For tests: a report with fixed figures.
#pragma once

#include "bench/report.h"

namespace vgg19::bench::testing {

inline Report fixed_report() {
    Report report;
    report.machine.cpu = "Test CPU";
    report.machine.isa = "avx2";
    report.machine.caches = {{.level = 1, .type = "Data", .bytes = 32768, .shared_by = 2}};
    report.machine.isas_built = {"portable", "avx2"};
    report.build.version = "0.1.0";
    report.build.compiler = "gcc 12.2.0";
    report.settings = {.threads = 2,
                       .min_time_seconds = 3,
                       .rounds = 5,
                       .batch = 1,
                       .convolution = "winograd",
                       .weights = "seeded",
                       .image = "bundled"};
    report.notes = {"A note, with a comma."};
    report.variants.push_back(
        {.id = "baseline",
         .input_size = 224,
         .bytes = 574'670'937,
         .active_parameters = 143'667'240,
         .gmac = 19.632062464,
         .latency = {.median_ms = 200.5, .min_ms = 190, .p90_ms = 210, .p99_ms = 220, .runs = 15},
         .images_per_second = 4.9875,
         .speedup = 1.0,
         .peak_rss_bytes = 661'000'192,
         .top3 = {{.class_index = 970, .synset = "n09193705", .label = "alp", .probability = 0.5},
                  {.class_index = 975,
                   .synset = "n09332890",
                   .label = "lakeside, \"shore\"",
                   .probability = 0.25},
                  {.class_index = 5, .synset = "", .label = "", .probability = 0.125}},
         .agreement = Agreement{.top1 = true, .top5 = 1, .cosine = 1}});
    report.variants.push_back(
        {.id = "int8",
         .input_size = 224,
         .bytes = 203'000'000,
         .active_parameters = 143'667'240,
         .gmac = 19.632062464,
         .latency = {.median_ms = 100.25, .min_ms = 95, .p90_ms = 105, .p99_ms = 110, .runs = 30},
         .speedup = 2.0});
    return report;
}

}  // namespace vgg19::bench::testing
