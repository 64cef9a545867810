#include "tools/program.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <iomanip>
#include <iostream>
#include <ostream>
#include <string_view>
#include <vector>

#include "engine/model/mapping_faults.h"
#include "tools/command.h"
#include "tools/command_line/standard_streams.h"
#include "tools/subcommands.h"

namespace {

using namespace vgg19::tools;
using vgg19::exit_done;
using vgg19::exit_wrong_usage;

struct Subcommand {
    std::string_view name;
    std::string_view summary;
    Run* run = nullptr;
};

constexpr std::array subcommands = {
    Subcommand{"convert", "make a model file from PyTorch or safetensors weights", convert},
    Subcommand{"export", "write a model for PyTorch or as ONNX, for other programs", export_model},
    Subcommand{"inspect", "show a model's layers, shapes, parameters, MACs, bytes and lineage", inspect},
    Subcommand{"prune", "remove the weakest filters of a model", prune},
    Subcommand{"factorize", "replace dense layers by products of two thin matrices", factorize},
    Subcommand{"finetune", "train a model further on labelled images, such as a pruned one", finetune},
    Subcommand{"quantize", "INT8 weights for the dense layers, or for all layers except the first", quantize},
    Subcommand{"compress", "search for the smallest and fastest model within a promise", compress},
    Subcommand{"pipeline", "run all of these, evaluate and time the results, and write a report", pipeline},
    Subcommand{"classify", "classify images", classify},
    Subcommand{"run", "compute logits, or what layers see, for a tensor of inputs", run},
    Subcommand{"features", "compute what layers see in many pictures", features},
    Subcommand{"compare", "measure how different two pictures look to a network", compare},
    Subcommand{"stylize", "paint one picture in the style of another", stylize},
    Subcommand{"eval", "measure a model's accuracy on labelled images", eval},
    Subcommand{"bench", "compare the variants' speed; the same program as vgg19-bench", bench},
    Subcommand{"serve", "the dashboard: classify images in a browser or through its API", serve},
    Subcommand{"tune", "measure this CPU, for the choice of kernels and schedules", tune},
    Subcommand{"sysinfo", "show CPU, instruction sets, caches, threads and measured peaks", sysinfo},
};

void print_help(std::ostream& out) {
    out << "VGG-19 on CPUs.\n\nUsage:\n  vgg19 SUBCOMMAND [ARGUMENT...]\n  vgg19 SUBCOMMAND --help\n"
           "  vgg19 --help | --version\n\nSubcommands:\n";
    for (const Subcommand& subcommand : subcommands) {
        out << "  " << std::left << std::setw(11) << subcommand.name << subcommand.summary << '\n';
    }
    out << "\nResults go to standard output, progress and messages to standard error. MB is 10^6 bytes.\n"
           "\nExit codes:\n"
           "  0  done\n"
           "  1  failed while running\n"
           "  2  wrong usage\n"
           "  3  bench: slower than the given baseline\n"
           "  5  bad model or image\n";
}

/// Levenshtein distance: the fewest insertions, deletions and replacements that turn one into the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

int report_unknown_subcommand(int /*argc*/, char** argv) {
    const std::string_view name = argv[0];
    const auto nearer = [name](const Subcommand& a, const Subcommand& b) {
        return edit_distance(name, a.name) < edit_distance(name, b.name);
    };
    const Subcommand& nearest = *std::min_element(subcommands.begin(), subcommands.end(), nearer);
    std::cerr << "vgg19: there is no subcommand '" << name << "'";
    // If more than half of the name differs, it is unlikely to be a typo.
    if (edit_distance(name, nearest.name) * 2 <= nearest.name.size()) {
        std::cerr << "; did you mean '" << nearest.name << "'?";
    }
    std::cerr << " (vgg19 --help lists them)\n";
    return exit_wrong_usage;
}

int print_help_command(int /*argc*/, char** /*argv*/) {
    print_help(std::cout);
    return exit_done;
}

int print_version_command(int /*argc*/, char** /*argv*/) {
    std::cout << "vgg19 " << VGG19_VERSION << '\n';
    return exit_done;
}

Run* run_of(std::string_view name) {
    if (name == "--help" || name == "-h") return print_help_command;
    if (name == "--version") return print_version_command;
    const auto* const found =
        std::find_if(subcommands.begin(), subcommands.end(),
                     [name](const Subcommand& subcommand) { return subcommand.name == name; });
    return found == subcommands.end() ? report_unknown_subcommand : found->run;
}

}  // namespace

int vgg19::tools::program(int argc, char** argv) {
    vgg19::occupy_standard_streams();
    // A file that reaches the size limit then causes a write error, after which files are cleaned up, instead
    // of ending the process.
    std::signal(SIGXFSZ, SIG_IGN);
    vgg19::model::catch_faults_of_mappings();
    if (argc < 2) {
        print_help(std::cerr);
        return exit_wrong_usage;
    }
    return run_command(argv[1], run_of(argv[1]), argc - 1, argv + 1);
}
