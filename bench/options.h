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
    bool help = false;
    std::optional<std::filesystem::path> weights;  ///< neither this nor `models`: seeded weights
    std::optional<std::filesystem::path> models;
    std::vector<std::string> variants;           ///< empty: all
    std::optional<std::filesystem::path> image;  ///< none: the bundled one
    int threads = 0;                             ///< 0: as many as the CPUs that this process may use
    std::string isa;
    std::string convolution = "auto";  ///< as SessionOptions::convolution
    std::size_t batch = 1;             ///< images a run
    double min_time_seconds = 3;       ///< of measured inferences, a variant
    Format format = Format::table;
    std::optional<std::filesystem::path> out;
    bool profile = false;
    bool tune = false;                              ///< check the planner's cost model instead
    std::optional<std::filesystem::path> baseline;  ///< an earlier report
    double tolerance = 0.1;

    std::optional<std::filesystem::path> worker;  ///< be the worker for this model file
    MapSize size{};  ///< of the input, but for variants with their own; empty: the model's
    std::optional<std::filesystem::path> input;  ///< the worker's input
};

/// What these options say of a session. `input_size` empty: the model's own.
SessionOptions session_options(const Options& options, MapSize input_size);

/// Throws Error (usage) that names the flag.
Options parse_options(int argc, const char* const* argv);

/// What --help prints. `program` is how the user called us: "vgg19-bench", "vgg19 bench".
std::string help_text(const std::string& program);

}  // namespace vgg19::bench
