#include "tools/plan_text.h"

#include <cstdint>
#include <iostream>
#include <string>

#include "engine/model/map_size.h"
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
        json.set("filter_bytes", static_cast<std::uint64_t>(estimate.weight_bytes));
        estimates.push(json);
    }
    return estimates;
}

}  // namespace

void print_plan(const Plan& plan) {
    std::cout << "\nplan for " << kernels::isa_name(plan.execution.isa) << ", input size "
              << to_string(plan.input_size) << "\n\n";
    Table table({"layer", "map", "channels", "filters MB", "chosen",
                 "estimated cost of each, relative to the chosen one"});
    for (const PlannedConvolution& convolution : plan.convolutions) {
        const layers::ConvolutionShape& shape = convolution.shape;
        table.add({convolution.layer, model::pixels_text(shape.size),
                   std::to_string(shape.input_channels) + " → " + std::to_string(shape.output_channels),
                   fixed(convolution.estimates.front().weight_bytes * 1e-6, 1),
                   layers::algorithm_name(convolution.algorithm()), costs_text(convolution)});
    }
    std::cout << table;
}

Json plan_json(const Plan& plan) {
    Json convolutions = Json::Array{};
    for (const PlannedConvolution& convolution : plan.convolutions) {
        Json json;
        json.set("layer", convolution.layer);
        json.set("algorithm", layers::algorithm_name(convolution.algorithm()));
        json.set("estimates", estimates_json(convolution));
        convolutions.push(json);
    }
    Json json;
    json.set("isa", kernels::isa_name(plan.execution.isa));
    json.set("convolutions", convolutions);
    return json;
}

}  // namespace vgg19::tools
