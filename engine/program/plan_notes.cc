#include "engine/program/plan_notes.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "engine/model/number_text.h"
#include "engine/program/expected_run.h"
#include "kernels/common/callers_function.h"
#include "kernels/common/parallel.h"

namespace vgg19 {

namespace {

using layers::ConvolutionAlgorithm;

Note warning(std::string text) {
    return {LogLevel::warning, std::move(text)};
}

/// Whether a layer runs something else than what SessionOptions::convolution asks for.
bool is_replaced(const std::string& wanted, ConvolutionAlgorithm algorithm) {
    if (wanted == "winograd") return algorithm == ConvolutionAlgorithm::conv_int8;
    return wanted == "onednn" && algorithm != ConvolutionAlgorithm::onednn;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

void add_replaced_convolutions(const Plan& plan, const SessionOptions& options, std::vector<Note>& notes) {
    std::vector<std::string> names;
    for (const PlannedConvolution& planned : plan.convolutions) {
        if (is_replaced(options.convolution, planned.algorithm())) names.push_back(planned.layer);
    }
    if (names.empty()) return;
    notes.push_back(warning("convolution: " + options.convolution + " was asked for, but has none for " +
                            joined(names) + ", where others run"));
}

void add_isa(const Plan& plan, const SessionOptions& options, std::vector<Note>& notes) {
    const std::string name = kernels::isa_name(plan.execution.isa);
    const std::string best = kernels::isa_name(kernels::best_isa());
    if (!options.isa.empty() || name == best) return;
    notes.push_back(warning("isa: VGG19_ISA forces " + name + ", and this CPU supports " + best));
}

void add_threads(const Plan& plan, const SessionOptions& options, std::vector<Note>& notes) {
    const int cpus = kernels::available_cpus();
    if (plan.execution.threads <= cpus || options.parallel_for) return;
    notes.push_back(warning("threads: " + std::to_string(plan.execution.threads) + ", and this process has " +
                            std::to_string(cpus) + " CPUs"));
}

void add_machine(const Plan& plan, const SessionOptions& options, std::vector<Note>& notes) {
    if (!options.plan_file.empty() || kernels::knows_this_cpu(plan.execution.isa)) return;
    notes.push_back({LogLevel::information, "no constants are known of this CPU (" +
                                                kernels::cpu_description() + "); planned as for " +
                                                plan.execution.cpu().name + "; `vgg19 tune` measures them"});
}

}  // namespace

std::vector<Note> surprises(const Plan& plan, const SessionOptions& options) {
    std::vector<Note> notes;
    add_isa(plan, options, notes);
    add_threads(plan, options, notes);
    add_machine(plan, options, notes);
    add_replaced_convolutions(plan, options, notes);
    return notes;
}

std::vector<Note> decisions(const std::string& verb, const Plan& plan, const std::vector<PlanStep>& steps) {
    const layers::Execution& execution = plan.execution;
    std::uint64_t weight_bytes = 0;
    for (const PlanStep& step : steps) weight_bytes += step.weight_bytes;
    std::string text = verb + " for " + to_string(plan.input_size) + ", batch " +
                       std::to_string(execution.batch) + ", on " + std::to_string(execution.threads) +
                       " threads with " + kernels::isa_name(execution.isa) + " of " + execution.cpu().name +
                       ": expected " + fixed(expected_run(plan).all.seconds * 1e3, 1) + " ms, weights " +
                       megabytes(weight_bytes);
    std::vector<Note> notes = {{LogLevel::information, std::move(text)}};
    for (const PlanStep& step : steps) {
        notes.push_back({LogLevel::detail, step.layer + ": " + step.kernel});
    }
    return notes;
}

void tell(const Log& log, const std::vector<Note>& notes) {
    if (!log) return;
    for (const Note& note : notes) kernels::call_callers(log, note.level, std::string_view(note.text));
}

}  // namespace vgg19
