// The results of a bench run, and their output formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/agreement.h"
#include "bench/machine.h"
#include "bench/peaks.h"
#include "bench/statistics.h"
#include "kernels/schedule/machine.h"

namespace vgg19::bench {

/// Like vgg19::Prediction, but owns its strings.
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
    double gflops =
        0;  ///< by the definition (direct convolution); a multiply-add counts as two, also for INT8
    double executed_gflops = 0;  ///< what the kernel actually executes; for Winograd a quarter of the above
    double gb_per_second = 0;    ///< weights and activations; 10^9 bytes
    /// How close the step comes to the machine's limits: the longer of the times that its executed arithmetic
    /// and its memory traffic would take at the measured peaks, divided by its actual time. Above 1 if data
    /// comes from a cache, or if INT8 has no peak of its own.
    double share_of_peak = 0;

    /// Of the measured peaks of all threads: the executed arithmetic, and the bytes that the cost model
    /// expects from each level (in the order of kernels::Level), each in the step's whole time. None for a
    /// level whose peak is unknown.
    double arithmetic_share = 0;
    std::optional<double> level_share[kernels::level_count];
    std::uint64_t level_bytes[kernels::level_count] = {};
    std::string limit;  ///< the largest of these shares: "arithmetic", "L2", "L3" or "memory"

    /// For convolutions whose threads tell their work apart (kernels/schedule/work_clock.h): the time of all
    /// threads, divided by their number.
    struct Parts {
        double input_transform_ms = 0;
        double products_ms = 0;
        double output_transform_ms = 0;
        double products_share = 0;  ///< of the arithmetic's peak, in the products' time
    };
    std::optional<Parts> parts;
};

/// How the time of a run is distributed.
struct Profile {
    std::vector<LayerTime> layers;
    double layers_ms = 0;  ///< the sum of their medians
    double end_to_end_ms =
        0;  ///< the median of runs without timers between layers, alternating with the timed runs
};

/// A variant with one of several numbers of threads and batch sizes.
struct ScalingEntry {
    int threads = 0;
    int schedule_threads = 0;  ///< as which the work is divided; 0 means `threads`
    std::size_t batch = 1;
    Latency latency;                ///< of a run with a whole batch of images
    double images_per_second = 0;   ///< from the median
    std::optional<double> speedup;  ///< as VariantReport::speedup, at the same threads and batch
    double gain = 0;                ///< images per second, relative to the variant's first entry
    double efficiency = 0;          ///< gain, relative to the number of threads of the first entry
    std::uint64_t peak_rss_bytes = 0;
    bool same_bits = true;  ///< the first image's logits, as those of the variant's first entry
};

struct VariantReport {
    std::string id;
    MapSize input_size{};
    std::uint64_t bytes = 0;  ///< of the file
    std::uint64_t active_parameters = 0;
    double gmac = 0;
    Latency latency;                ///< of a run with a whole batch of images
    double images_per_second = 0;   ///< from the median
    std::optional<double> speedup;  ///< baseline's median / this one's; none without a baseline
    std::uint64_t peak_rss_bytes = 0;
    double ready_seconds = 0;  ///< from the start of a process until two runs are done
    std::vector<ReportedPrediction> top3;
    std::optional<Agreement> agreement;
    std::optional<Profile> profile;     ///< only if requested
    std::vector<ScalingEntry> scaling;  ///< empty for a single number of threads and a single batch size
};

/// Another engine's figures at one image a run.
struct PeerEngine {
    std::string name;
    double min_ms = 0;
    double median_ms = 0;
    double ready_seconds = 0;  ///< from the start of its process until two runs are done
    std::uint64_t peak_rss_bytes = 0;
};

struct PeersFile {
    std::filesystem::path path;
    std::string written;  ///< when the file was written: "2026-11-29T06:40:01Z"
    std::vector<PeerEngine> engines;
};

/// Our time / the peer's: below 1 we are faster.
struct PeerRatio {
    double min = 0;
    double median = 0;
};

/// A peer that does the same work as a variant: same network, size and arithmetic.
struct ComparedPeer {
    PeerEngine engine;
    PeerRatio ratio;                          ///< of this run's figures to the peer's
    std::optional<PeerRatio> same_run_ratio;  ///< of ours in the peers' file, if that has them
};

struct PeerComparison {
    std::string variant;
    MapSize input_size{};
    std::string own_row;              ///< the variant's name in the peers' file; "" if it is not there
    std::vector<ComparedPeer> peers;  ///< the fastest (by minimum) first; never empty
};

/// Peers that no variant of a report is compared with, and why.
struct UncomparedPeer {
    PeerEngine engine;
    std::string reason;
};

struct Peers {
    PeersFile file;
    std::vector<PeerComparison> comparisons;
    std::vector<UncomparedPeer> others;
};

struct Settings {
    int threads = 0;
    int schedule_threads = 0;  ///< as which the work is divided; 0 means `threads`
    double min_time_seconds = 0;
    int rounds = 0;
    std::size_t batch = 1;             ///< images per run
    std::string convolution = "auto";  ///< as SessionOptions::convolution
    std::string plan_file;             ///< likewise
    std::string weights;               ///< "seeded", or the file or folder
    std::string image;                 ///< "bundled", or the file
};

struct Report {
    Machine machine;
    Build build;
    Settings settings;
    std::optional<Peaks> peaks;
    std::vector<VariantReport> variants;
    std::optional<Peers> peers;  ///< only if requested
    std::vector<std::string>
        notes;  ///< what readers must know to interpret the numbers, one or two sentences each
};

/// Whether several numbers of threads or batch sizes were measured.
bool has_scaling(const Report& report);

enum class Format : unsigned char { table, markdown, json, csv };

std::optional<Format> format_from_name(std::string_view name);

/// The report as text that ends with a newline.
std::string to_text(const Report& report, Format format);

/// The version of the JSON format; increased when a field is removed or changes its meaning.
inline constexpr int report_schema_version = 2;

std::string to_table(const Report& report);
std::string to_markdown(const Report& report);
std::string to_json_text(const Report& report);
std::string to_csv(const Report& report);

}  // namespace vgg19::bench
