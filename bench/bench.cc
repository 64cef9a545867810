#include "bench/bench.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "bench/bench_image.h"
#include "bench/comparison.h"
#include "bench/exit_code.h"
#include "bench/measurement.h"
#include "bench/peers.h"
#include "bench/progress.h"
#include "bench/tune.h"
#include "bench/worker.h"
#include "bench/worker_process.h"
#include "converter/lineage.h"
#include "converter/variants/published_weights.h"
#include "converter/variants/variants.h"
#include "engine/model/foreign_text.h"
#include "engine/model/mapping_faults.h"
#include "engine/model/model_access.h"
#include "engine/model/safetensors.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using converter::has_surgery;
using converter::Surgery;
using converter::Variant;

/// The program's name without folders, as the user called it: "vgg19-bench", "vgg19 bench".
std::string program_name(std::vector<std::string> program) {
    std::string name = std::filesystem::path(program.front()).filename().string();
    for (std::size_t word = 1; word < program.size(); ++word) name += ' ' + program[word];
    return name;
}

std::vector<Variant> found_variants(const Options& options) {
    if (options.models) return converter::variants_in(*options.models, options.variants);
    const converter::MakingProgress progress = {.say = say, .shown = percent_shown};
    if (options.weights) return converter::variants_of(*options.weights, options.variants, progress);
    if (options.real) return converter::published_variants(options.variants, progress);
    return converter::seeded_variants(options.variants, options.threads, progress);
}

std::vector<Variant> chosen_variants(const Options& options) {
    std::vector<Variant> variants = found_variants(options);
    for (Variant& variant : variants) {
        if (variant.input_size.empty()) variant.input_size = options.size;
    }
    return variants;
}

std::string weights_text(const Options& options) {
    if (options.models) return options.models->string();
    if (options.real) return converter::published_weights().file.string();
    return options.weights ? options.weights->string() : "seeded";
}

bool pruned_and_not_finetuned(const Variant& variant) {
    const Model model = model::map_model(variant.file);
    return has_surgery(model.lineage(), Surgery::prune) && !has_surgery(model.lineage(), Surgery::finetune);
}

bool has_int8_convolutions(const Variant& variant) {
    const model::ModelFile model = model::ModelFile::open(variant.file);
    const auto& layers = model.network().convolutions();
    return std::any_of(layers.begin(), layers.end(),
                       [&](const auto& layer) { return model.is_int8(layer.name); });
}

std::vector<std::string> notes(const Options& options, const std::vector<Variant>& variants,
                               kernels::Isa isa) {
    std::vector<std::string> lines;
    if (!options.models && !options.weights && !options.real) {
        lines.emplace_back(
            "The weights are seeded, not trained: speeds are real, predictions are meaningless. For real "
            "ones: script/bench --real.");
    }
    if (std::any_of(variants.begin(), variants.end(), pruned_and_not_finetuned)) {
        lines.emplace_back("Pruned weights were not fine-tuned.");
    }
    const bool int8 = std::any_of(variants.begin(), variants.end(), has_int8_convolutions);
    if (int8 && !options.models) {
        lines.emplace_back("Variants with all layers in INT8 were calibrated on crops of a single picture.");
    }
    if (int8 && !kernels::has_dot_product(isa)) {
        lines.emplace_back(std::string("INT8 runs without an instruction for its products (") +
                           kernels::isa_name(isa) + "): several times slower than with it.");
    }
    lines.emplace_back(
        "Speed-ups are by medians of this run; p90 and p99 are by nearest rank; agreement is with the "
        "baseline "
        "on one image.");
    return lines;
}

Report make_report(const Options& options, const std::vector<Variant>& variants, const Image& image,
                   const std::vector<std::string>& program, kernels::Isa isa,
                   const std::optional<PeersFile>& peers) {
    Report report;
    report.machine = describe_machine(isa);
    report.build = describe_build();
    report.settings = {.threads = options.threads,
                       .schedule_threads = options.schedule_threads,
                       .min_time_seconds = options.min_time_seconds,
                       .rounds = measurement_rounds,
                       .batch = options.batch,
                       .convolution = options.convolution,
                       .plan_file = options.plan_file,
                       .weights = weights_text(options),
                       .image = options.image ? options.image->string() : "bundled"};
    report.notes = notes(options, variants, isa);
    if (options.profile) {
        say("measuring this machine's peaks");
        report.peaks = measure_peaks(isa, {.threads = options.threads});
    }
    say("classifying the image with each variant");
    report.variants = examine(variants, options, image, report.peaks);
    measure(variants, options, program, report.variants);
    if (peers) {
        report.peers = compare_with_peers(*peers, report.variants);
        for (const UncomparedPeer& other : report.peers->others) {
            say("not compared: " + other.engine.name + ", " + other.reason);
        }
        const std::vector<std::string> more = notes_on_peers(*report.peers);
        report.notes.insert(report.notes.end(), more.begin(), more.end());
    }
    return report;
}

/// `text_in` gives the report in a format.
template <class TextIn>
void publish(const TextIn& text_in, const Options& options) {
    if (options.out) {
        model::write_text_file(*options.out, text_in(options.format));
        say("the report is in " + options.out->string());
    }
    std::cout << text_in(options.out ? Format::table : options.format) << std::flush;
    if (!std::cout) throw Error(ErrorKind::failed, "cannot write to standard output");
}

int compare(const EarlierReport& then, const Report& now, double tolerance) {
    const std::vector<std::string> slower = slower_variants(then, now, tolerance);
    for (const std::string& line : slower) say(line);
    return slower.empty() ? exit_done : exit_slower;
}

int run(const Options& options, const std::vector<std::string>& program) {
    // Find errors before any long work.
    const kernels::Isa isa = chosen_isa(session_options(options, 0));
    std::optional<EarlierReport> earlier;
    if (options.baseline) {
        earlier = read_report(*options.baseline);
        require_batch(*earlier, options.batch);
    }
    std::optional<PeersFile> peers;
    if (options.peers) peers = read_peers(*options.peers);
    const Image image = bench_image(options.image);
    const std::vector<Variant> variants = chosen_variants(options);
    const Report report = make_report(options, variants, image, program, isa, peers);
    publish([&](Format format) { return to_text(report, format); }, options);
    return earlier ? compare(*earlier, report, options.tolerance) : exit_done;
}

void run_tune(const Options& options) {
    constexpr double share = 0.1;  // share of --min-time for each shape
    TuneReport report;
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::int8}) {
        const Plan plan = make_plan(model::Network::vgg(19), Preprocessing{},
                                    session_options(options, options.size), arithmetic);
        if (report.shapes.empty()) {
            say("measuring this machine's peaks");
            report = {.machine = describe_machine(plan.execution.isa),
                      .build = describe_build(),
                      .peaks = measure_peaks(plan.execution.isa, {.threads = plan.execution.threads}),
                      .cost_model = plan.execution.cpu().name,
                      .threads = plan.execution.threads,
                      .batch = plan.execution.batch,
                      .shapes = {}};
        }
        const std::vector<TunedShape> shapes = tune(plan, options.min_time_seconds * share);
        report.shapes.insert(report.shapes.end(), shapes.begin(), shapes.end());
    }
    publish([&](Format format) { return tune_text(report, format); }, options);
}

int run_command(int argc, char** argv, const std::vector<std::string>& program) {
    std::optional<Options> options = parse_options(argc, argv, program_name(program));
    if (!options) return exit_done;
    if (options->threads == 0) options->threads = kernels::available_cpus();
    require_schedules(*options);
    if (options->worker) {
        run_worker(*options);
        return exit_done;
    }
    if (options->tune) {
        run_tune(*options);
        return exit_done;
    }
    return run(*options, program);
}

}  // namespace

int bench_main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a dead worker must cause a write error, not end the bench
    model::catch_faults_of_mappings();
    std::string name = "vgg19-bench";
    try {
        const std::vector<std::string> program = words_before(static_cast<std::size_t>(argc - 1));
        name = program_name(program);
        return run_command(argc, argv, program);
    } catch (const Error& error) {
        std::cerr << name << ": " << model::printable_lines(error.what()) << std::endl;
        return exit_code(error.kind());
    } catch (const std::bad_alloc&) {
        std::cerr << name << ": memory is short" << std::endl;
    } catch (const std::exception& error) {
        std::cerr << name << ": " << model::printable_lines(error.what()) << std::endl;
    }
    return exit_failed;
}

}  // namespace vgg19::bench
