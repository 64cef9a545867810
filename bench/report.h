// The outcome of a bench run, and the ways to write it down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/agreement.h"
#include "bench/machine.h"
#include "bench/peaks.h"
#include "bench/statistics.h"

namespace vgg19::bench {

/// As vgg19::Prediction, with strings of its own.
struct ReportedPrediction {
    std::size_t class_index = 0;
    std::string synset;
    std::string label;
    double probability = 0;
};

/// One step of a session's plan.
struct LayerTime {
    std::string layer;
    std::string kernel;
    double median_ms = 0;
    double gflops = 0;  ///< by the plain sum (direct convolution): a multiply-add is two, INT8's likewise
    double executed_gflops = 0;  ///< that the kernel really executes: Winograd's is a quarter of the above
    double gb_per_second = 0;    ///< weights and activations; 10^9 bytes
    /// How near the step comes to what this machine allows: the time that the arithmetic which it executes,
    /// or its memory traffic, would take at the measured peaks, whichever is longer, over the time that it
    /// took. Above 1 where data comes from a cache, or INT8 has no peak of its own.
    double share_of_peak = 0;
};

/// Where the time of a run goes.
struct Profile {
    std::vector<LayerTime> layers;
    double layers_ms = 0;  ///< the sum of their medians
    double end_to_end_ms =
        0;  ///< the median of runs without clocks between the layers, in turn with the others
};

struct VariantReport {
    std::string id;
    MapSize input_size{};
    std::uint64_t bytes = 0;  ///< of the file
    std::uint64_t active_parameters = 0;
    double gmac = 0;
    Latency latency;                ///< of a run, which is a batch of images
    double images_per_second = 0;   ///< by the median
    std::optional<double> speedup;  ///< baseline's median / this one's; none where there was no baseline
    std::uint64_t peak_rss_bytes = 0;
    std::vector<ReportedPrediction> top3;
    std::optional<Agreement> agreement;
    std::optional<Profile> profile;  ///< when asked for
};

struct Settings {
    int threads = 0;
    double min_time_seconds = 0;
    int rounds = 0;
    std::size_t batch = 1;             ///< images a run
    std::string convolution = "auto";  ///< as SessionOptions::convolution
    std::string weights;               ///< "seeded", or the file or folder
    std::string image;                 ///< "bundled", or the file
};

struct Report {
    Machine machine;
    Build build;
    Settings settings;
    std::optional<Peaks> peaks;
    std::vector<VariantReport> variants;
    std::vector<std::string> notes;  ///< what a reader of the numbers must know, a sentence or two each
};

enum class Format : unsigned char { table, markdown, json, csv };

std::optional<Format> format_from_name(std::string_view name);

/// The report as text that ends with a newline.
std::string to_text(const Report& report, Format format);

/// The version of the JSON's shape: rises when a field goes or changes its meaning.
inline constexpr int report_schema_version = 2;

std::string to_table(const Report& report);
std::string to_markdown(const Report& report);
std::string to_json_text(const Report& report);
std::string to_csv(const Report& report);

}  // namespace vgg19::bench
