// vgg19 sysinfo
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/peaks.h"
#include "engine/model/json.h"
#include "engine/program/tuned_machine.h"
#include "tools/command.h"
#include "tools/subcommands.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

using bench::Machine;
using bench::Peaks;

std::string words(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::uint64_t kib = 1024;
    return bytes % (kib * kib) == 0 ? std::to_string(bytes / (kib * kib)) + " MiB"
                                    : std::to_string(bytes / kib) + " KiB";
}

std::string tuned_text(const FoundTunedMachine& tuned) {
    if (!tuned.path.empty()) return "by measured constants: " + tuned.path.string();
    if (!tuned.ignored.empty()) return "not by measured constants: " + tuned.ignored;
    return "by what is known of its kind; `vgg19 tune` measures this CPU";
}

model::Json planner_json(kernels::Isa isa) {
    const FoundTunedMachine tuned = find_tuned_machine();
    model::Json json;
    json.set("microarchitecture", kernels::this_machine(isa).name);
    json.set("tuned_file", tuned.path.empty() ? model::Json() : model::Json(tuned.path.string()));
    json.set("ignored", tuned.ignored.empty() ? model::Json() : model::Json(tuned.ignored));
    return json;
}

void print_machine(const Machine& machine, const bench::Build& build, kernels::Isa isa) {
    std::cout << "CPU            " << machine.cpu << " (" << machine.vendor << ")\n"
              << "system         " << machine.operating_system << ", " << machine.kernel << '\n'
              << "memory         " << megabytes(machine.memory_bytes) << '\n'
              << "threads        " << machine.available_threads << " usable: " << machine.logical_cpus
              << " logical CPUs, " << machine.affinity_cpus
              << " in the affinity mask, cut by the cgroup's quota where there is one\n";
    for (const bench::Cache& cache : machine.caches) {
        std::cout << "cache          L" << cache.level << ' ' << cache.type << ", " << size_text(cache.bytes)
                  << ", shared by " << cache.shared_by << '\n';
    }
    std::cout << "ISAs built     " << words(machine.isas_built) << '\n'
              << "ISAs supported " << words(machine.isas_supported) << '\n'
              << "ISA chosen     " << machine.isa << '\n'
              << "planned as     " << kernels::this_machine(isa).name << ", "
              << tuned_text(find_tuned_machine()) << '\n'
              << "build          vgg19 " << build.version << ", " << build.compiler << ", "
              << build.build_type << ", " << build.threads << " threads, oneDNN " << build.onednn << '\n';
}

void print_peaks(const Peaks& peaks, int threads) {
    std::cout << "peaks          measured with " << threads << (threads == 1 ? " thread" : " threads")
              << ":\n"
              << "  memory read  " << fixed(peaks.read_gb_per_second, 1) << " GB/s\n"
              << "  FP32 FMA     " << fixed(peaks.fp32_gflops, 1) << " GFLOP/s\n"
              << "  INT8 VNNI    "
              << (peaks.int8_gops ? fixed(*peaks.int8_gops, 1) + " GOP/s" : "not on this ISA") << '\n';
}

}  // namespace

int sysinfo(int argc, char** argv) {
    CommandLine line(
        "sysinfo",
        "Shows this machine, the instruction set that would be used, and measured peaks: memory reads, FP32\n"
        "multiply-adds and INT8 multiply-adds (each counts as two operations).",
        "");
    add_cpu_options(line);
    line.flag("json", "print JSON").example("vgg19 sysinfo --json");
    if (!line.parse(argc, argv)) return exit_done;

    line.no_arguments();
    const kernels::Isa isa = bench::chosen_isa({.isa = line.text("isa")});
    const Machine machine = bench::describe_machine(isa);
    const bench::Build build = bench::describe_build();
    bench::PeakOptions options;
    options.threads = line.given("threads") ? threads_option(line) : std::max(1, machine.available_threads);
    if (!line.given("json")) {
        // Measuring the peaks takes a second or two; print what is already known.
        print_machine(machine, build, isa);
        std::cout << std::flush;
        print_peaks(bench::measure_peaks(isa, options), options.threads);
        return exit_done;
    }
    model::Json peaks = bench::to_json(bench::measure_peaks(isa, options));
    peaks.set("threads", options.threads);
    model::Json json;
    json.set("machine", bench::to_json(machine));
    json.set("build", bench::to_json(build));
    json.set("planner", planner_json(isa));
    json.set("peaks", peaks);
    std::cout << json.dump(2) << '\n';
    return exit_done;
}

}  // namespace vgg19::tools
