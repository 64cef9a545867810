// The command line of the bench.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/report.h"
#include "vgg19/session.h"

namespace vgg19::bench {

struct Options {
    std::optional<std::filesystem::path> weights;  ///< if none of these three is set: seeded weights
    std::optional<std::filesystem::path> models;
    bool real = false;                           ///< torchvision's weights
    std::vector<std::string> variants;           ///< empty: all
    std::optional<std::filesystem::path> image;  ///< unset means the bundled one
    int threads = 0;  ///< 0 means as many as this process has CPUs; the first of `thread_counts`
    std::vector<int> thread_counts;  ///< to compare; empty means `threads` alone
    /// The work is divided as for this many threads, and run on `threads`: 0 means as for `threads`; the
    /// first of `schedules`.
    int schedule_threads = 0;
    std::vector<int> schedules;  ///< to compare; empty means `schedule_threads` alone
    std::string isa;
    std::string convolution = "auto";  ///< as SessionOptions::convolution
    std::string plan_file;             ///< likewise
    std::size_t batch = 1;             ///< images per run; the first of `batches`
    std::vector<std::size_t> batches;  ///< to compare; empty means `batch` alone
    double min_time_seconds = 3;       ///< of measured inferences, per variant
    Format format = Format::table;
    std::optional<std::filesystem::path> out;
    bool profile = false;
    bool tune = false;                              ///< check the planner's cost model instead
    std::optional<std::filesystem::path> baseline;  ///< an earlier report
    std::optional<std::filesystem::path> peers;     ///< figures of other engines
    double tolerance = 0.1;

    std::optional<std::filesystem::path> worker;  ///< run as the worker for this model file
    MapSize size{};  ///< of the input, except for variants with their own; empty means the model's
    std::optional<std::filesystem::path> input;  ///< the worker's input
    std::vector<std::string> outputs;            ///< the worker's, as SessionOptions::outputs
    bool backward = false;                       ///< the worker also computes a gradient
};

/// All numbers of threads with all schedules and batch sizes: each entry is `options` with one of each. A
/// single entry unless there are several to compare.
std::vector<Options> compared_settings(const Options& options);

/// Throws Error (usage) if a schedule is for fewer threads than would run it.
void require_schedules(const Options& options);

/// The session options that follow from these. A session for more threads than `threads` must be made, and
/// run, under a kernels::ThreadLimit. An empty `input_size` means the model's own.
SessionOptions session_options(const Options& options, MapSize input_size);

/// None if help was requested and printed. `program` is the program's name as called by the user:
/// "vgg19-bench", "vgg19 bench". Throws Error (usage) that names the flag.
std::optional<Options> parse_options(int argc, const char* const* argv, const std::string& program);

}  // namespace vgg19::bench
