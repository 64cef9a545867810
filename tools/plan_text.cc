#include "tools/plan_text.h"

#include <cstdint>
#include <iostream>
#include <string>

#include "engine/model/foreign_text.h"
#include "engine/model/map_size.h"
#include "engine/program/expected_run.h"
#include "engine/program/tuned_machine.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

using layers::ConvolutionEstimate;
using model::Json;

std::string costs_text(const PlannedConvolution& convolution) {
    const double chosen = convolution.estimates.front().cost();
    std::string text;
    for (const ConvolutionEstimate& estimate : convolution.estimates) {
        text.append(text.empty() ? "" : ", ").append(layers::algorithm_name(estimate.algorithm));
        text.append(" ").append(fixed(estimate.cost() / chosen, 2));
    }
    return text;
}

Json estimates_json(const PlannedConvolution& convolution) {
    Json estimates = Json::Array{};
    for (const ConvolutionEstimate& estimate : convolution.estimates) {
        Json json;
        json.set("algorithm", layers::algorithm_name(estimate.algorithm));
        json.set("cost", estimate.cost());
        json.set("ms", estimate.time.seconds * 1e3);
        json.set("convolution_ms", estimate.convolution_seconds * 1e3);
        json.set("filter_bytes", static_cast<std::uint64_t>(estimate.weight_bytes));
        estimates.push(json);
    }
    return estimates;
}

constexpr double mega = 1e6;

std::string megabytes_text(double bytes) {
    return bytes == 0 ? "" : fixed(bytes / mega, 1);
}

std::string percent_text(double share) {
    return fixed(100 * share, 0);
}

void print_choices(const Plan& plan) {
    Table table({"layer", "map", "channels", "filters MB", "chosen",
                 "estimated cost of each, relative to the chosen one"});
    for (const PlannedConvolution& convolution : plan.convolutions) {
        const layers::ConvolutionShape& shape = convolution.shape;
        table.add({convolution.layer, model::pixels_text(shape.size),
                   std::to_string(shape.input_channels) + " → " + std::to_string(shape.output_channels),
                   fixed(convolution.estimates.front().weight_bytes / mega, 1),
                   layers::algorithm_name(convolution.algorithm()), costs_text(convolution)});
    }
    std::cout << table;
}

void add_total(Table& table, const char* name, const ExpectedTotal& total, int threads) {
    table.add({name, "", "", fixed(total.seconds * 1e3, 3), "", "", "", "",
               percent_text(total.efficiency(threads))});
}

void print_expected(const ExpectedRun& run, int threads) {
    Table table(
        {"step", "divided into", "tasks", "ms", "limit", "L2 MB", "L3 MB", "memory MB", "efficiency %"});
    for (const ExpectedStep& step : run.steps) {
        const double many = step.time.seconds;
        table.add({step.text, step.schedule, std::to_string(step.tasks), fixed(many * 1e3, 3),
                   step.time.limit(), megabytes_text(step.bytes[0]), megabytes_text(step.bytes[1]),
                   megabytes_text(step.bytes[2]),
                   percent_text(kernels::parallel_efficiency(step.one_thread_seconds, many, threads))});
    }
    add_total(table, "convolutions and pools", run.convolutions, threads);
    add_total(table, "dense layers", run.dense_layers, threads);
    add_total(table, "in all", run.all, threads);
    std::cout << table
              << "\nEfficiency: the time on one thread, divided by the threads and their time. Layers that "
                 "memory limits cannot\ngain more than all cores' bandwidth over one's.\n";
}

Json total_json(const ExpectedTotal& total, int threads) {
    Json json;
    json.set("ms", total.seconds * 1e3).set("efficiency", total.efficiency(threads));
    return json;
}

Json expected_json(const ExpectedRun& run, int threads) {
    Json steps = Json::Array{};
    for (const ExpectedStep& step : run.steps) {
        const double efficiency =
            kernels::parallel_efficiency(step.one_thread_seconds, step.time.seconds, threads);
        Json json;
        json.set("layer", step.text)
            .set("schedule", step.schedule)
            .set("tasks", std::uint64_t{step.tasks})
            .set("ms", step.time.seconds * 1e3)
            .set("limit", step.time.limit())
            .set("l2_bytes", step.bytes[0])
            .set("l3_bytes", step.bytes[1])
            .set("memory_bytes", step.bytes[2])
            .set("efficiency", efficiency);
        steps.push(json);
    }
    Json json = total_json(run.all, threads);
    json.set("convolutions", total_json(run.convolutions, threads))
        .set("dense_layers", total_json(run.dense_layers, threads))
        .set("steps", steps);
    return json;
}

}  // namespace

void print_plan(const Plan& plan, const std::string& origin) {
    const int threads = plan.execution.threads;
    std::cout << "\nplan for " << kernels::isa_name(plan.execution.isa) << " on " << model::printable(origin)
              << ", input size " << to_string(plan.input_size) << "\n\n";
    print_choices(plan);
    std::cout << "\nexpected on " << threads << (threads == 1 ? " thread" : " threads") << ", batch "
              << plan.execution.batch << "\n\n";
    print_expected(expected_run(plan), threads);
}

Json plan_json(const Plan& plan, const std::string& origin) {
    Json convolutions = Json::Array{};
    for (const PlannedConvolution& convolution : plan.convolutions) {
        Json json;
        json.set("layer", convolution.layer);
        json.set("type", convolution.shape.type == layers::ConvolutionType::fp32 ? "FP32" : "INT8");
        json.set("input_channels", std::uint64_t{convolution.shape.input_channels});
        json.set("output_channels", std::uint64_t{convolution.shape.output_channels});
        json.set("height", std::uint64_t{convolution.shape.size.height});
        json.set("width", std::uint64_t{convolution.shape.size.width});
        json.set("algorithm", layers::algorithm_name(convolution.algorithm()));
        json.set("estimates", estimates_json(convolution));
        convolutions.push(json);
    }
    Json machine = machine_json(plan.execution.cpu());
    machine.set("origin", origin);
    Json json;
    json.set("isa", kernels::isa_name(plan.execution.isa));
    json.set("machine", machine);
    json.set("threads", plan.execution.threads);
    json.set("convolutions", convolutions);
    json.set("expected", expected_json(expected_run(plan), plan.execution.threads));
    return json;
}

}  // namespace vgg19::tools
