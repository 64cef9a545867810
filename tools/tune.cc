// vgg19 tune
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "bench/machine.h"
#include "bench/peaks.h"
#include "bench/progress.h"
#include "engine/model/json_file.h"
#include "engine/program/tuned_machine.h"
#include "kernels/common/parallel.h"
#include "tools/command.h"
#include "tools/machine_from_peaks.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using kernels::Bandwidth;
using kernels::Level;
using kernels::Machine;

constexpr double giga = 1e9;

/// The file to write: --output, else the usual one, which is for the best ISA, and whose folder is made.
std::filesystem::path destination(const CommandLine& line, kernels::Isa isa) {
    if (line.given("output")) {
        check_destination(line.text("output"));
        return line.text("output");
    }
    if (isa != kernels::best_isa()) {
        throw Error(ErrorKind::usage, std::string("the file in the cache folder is for ") +
                                          kernels::isa_name(kernels::best_isa()) +
                                          ", the best ISA that this CPU supports; name another file for " +
                                          kernels::isa_name(isa) + " by -o FILE");
    }
    std::filesystem::path path = usual_tuned_machine();
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) {
        throw Error(ErrorKind::failed,
                    path.parent_path().string() + ": cannot make the folder: " + error.message());
    }
    check_destination(path);
    return path;
}

/// Once more if something disturbed it.
bench::Peaks measure(kernels::Isa isa, const bench::PeakOptions& options) {
    bench::say("measuring; other programs should be quiet");
    bench::Peaks peaks = bench::measure_peaks(isa, options);
    if (!threads_were_disturbed(peaks, options.threads)) return peaks;
    bench::say("measuring again, since the threads did not have a core each");
    peaks = bench::measure_peaks(isa, options);
    if (threads_were_disturbed(peaks, options.threads)) {
        bench::say("the threads did not have a core each: limits of all threads may be too low");
    }
    return peaks;
}

std::string rate_text(double rate) {
    return rate > 0 ? fixed(rate, 2) : "";
}

void add_bandwidth(Table& table, Level level, const Bandwidth& known, const Bandwidth& measured) {
    const std::string name = kernels::level_name(level);
    const auto text = [](double bytes) { return bytes > 0 ? fixed(bytes / giga, 1) : "no limit"; };
    table.add({name + " of one core, GB/s", text(known.core), text(measured.core)});
    if (measured.all > 0) table.add({name + " of all threads, GB/s", "", text(measured.all)});
}

void print_comparison(const Machine& known, const Machine& measured) {
    Table table({"", known.name, "measured"});
    table.add({"GHz under vector load", fixed(known.hertz / giga, 2), fixed(measured.hertz / giga, 2)});
    table.add(
        {"FP32 multiply-adds a cycle", rate_text(known.multiply_adds), rate_text(measured.multiply_adds)});
    table.add(
        {"dot products of bytes a cycle", rate_text(known.dot_products), rate_text(measured.dot_products)});
    for (const Level level : {Level::l2, Level::l3, Level::memory}) {
        add_bandwidth(table, level, known.read(level), measured.read(level));
    }
    table.add({"barrier of two threads, µs", fixed(known.barrier_seconds * 1e6, 1),
               fixed(measured.barrier_seconds * 1e6, 1)});
    std::cout << table;
}

}  // namespace

int tune(int argc, char** argv) {
    CommandLine line("tune",
                     "Measures this CPU for the planner, in about a quarter of a minute: multiply-adds, dot "
                     "products, the\nbandwidth of each level of memory, and barriers. Other commands then "
                     "choose kernels and schedules by\nthe file that it writes. Results may differ in their "
                     "last bits from those without it.",
                     "[-o FILE]");
    line.option("o,output", "FILE",
                "the file to write, for --plan FILE of other commands; default: this CPU's in the cache "
                "folder, which other commands use by themselves");
    add_cpu_options(line);
    line.option("min-time", "SECONDS",
                "measure each of a dozen figures for this long, of which the best counts", "1")
        .flag("json", "print the file's JSON")
        .example("vgg19 tune && vgg19 inspect vgg19.safetensors --plan");
    if (!line.parse(argc, argv)) return exit_done;

    line.no_arguments();
    const kernels::Isa isa = bench::chosen_isa({.isa = line.text("isa")});
    const std::filesystem::path path = destination(line, isa);
    bench::PeakOptions options;
    options.threads = line.given("threads") ? threads_option(line) : kernels::available_cpus();
    constexpr double shortest = 0.001;
    constexpr double longest = 5;
    options.seconds = line.number("min-time", shortest, longest);
    const Machine& known = kernels::this_machine(isa);
    const TunedMachine tuned = {
        .cpu = kernels::cpu_description(),
        .threads = options.threads,
        .isa = isa,
        .machine = machine_from_peaks(known, isa, measure(isa, options), options.threads)};
    write_tuned_machine(path, tuned);
    if (line.given("json")) {
        std::cout << model::read_json(path).dump(2) << '\n';
    } else {
        print_comparison(known, tuned.machine);
    }
    bench::say("the constants are in " + path.string());
    return exit_done;
}

}  // namespace vgg19::tools
