#include "engine/plan.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "kernels/common/parallel.h"
#include "kernels/onednn/conv_onednn.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

constexpr std::size_t largest_input = 4096;
constexpr std::size_t largest_batch = 4096;
constexpr int most_threads = 1024;

std::string known_isas() {
    std::string names;
    for (const kernels::Isa isa : kernels::all_isas()) {
        names += (names.empty() ? "" : ", ") + std::string(kernels::isa_name(isa));
    }
    return names;
}

kernels::Isa forced_isa(const std::string& name, const std::string& origin) {
    const std::optional<kernels::Isa> isa = kernels::isa_from_name(name);
    if (!isa) {
        throw Error(ErrorKind::usage,
                    origin + ": expected one of " + known_isas() + ", found \"" + name + "\"");
    }
    if (!kernels::isa_is_built(*isa)) {
        throw Error(ErrorKind::usage, origin + ": " + name + " is not in this build");
    }
    if (!kernels::cpu_supports(*isa)) {
        throw Error(ErrorKind::usage, origin + ": this CPU does not have " + name +
                                          "; the best that it has is " +
                                          kernels::isa_name(kernels::best_isa()));
    }
    return *isa;
}

kernels::Isa choose_isa(const std::string& wanted) {
    if (!wanted.empty()) return forced_isa(wanted, "isa");
    const char* variable = std::getenv("VGG19_ISA");
    if (variable != nullptr && *variable != '\0') return forced_isa(variable, "VGG19_ISA");
    return kernels::best_isa();
}

layers::ConvolutionChoice convolution_choice(const std::string& wanted) {
    if (wanted.empty() || wanted == "auto") return layers::ConvolutionChoice::automatic;
    if (wanted == "winograd") return layers::ConvolutionChoice::winograd;
    if (wanted == "onednn") return layers::ConvolutionChoice::onednn;
    if (wanted == "direct") return layers::ConvolutionChoice::direct;
    throw Error(ErrorKind::usage,
                "convolution: expected one of auto, winograd, direct, onednn, found \"" + wanted + "\"");
}

template <class Number>
void require_range(const char* what, Number value, Number low, Number high) {
    if (value >= low && value <= high) return;
    throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(low) + " to " +
                                      std::to_string(high) + ", found " + std::to_string(value));
}

layers::ConvolutionType convolution_type(const model::ModelFile& model,
                                         const model::ConvolutionLayer& layer) {
    if (!model.is_int8(layer.name)) return layers::ConvolutionType::fp32;
    return model.find(model::winograd_input_scale_name(layer.name)) == nullptr
               ? layers::ConvolutionType::int8
               : layers::ConvolutionType::int8_winograd;
}

/// `types`: one a convolution.
std::vector<PlannedConvolution> plan_convolutions(const model::Network& network, const Plan& plan,
                                                  const std::vector<layers::ConvolutionType>& types,
                                                  layers::ConvolutionChoice choice) {
    std::vector<PlannedConvolution> convolutions;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        const layers::ConvolutionShape shape = {.input_channels = layer.input_channels,
                                                .output_channels = layer.output_channels,
                                                .side = network.map_size(layer, plan.input_size),
                                                .plain_input = convolutions.empty(),
                                                .pool_follows = layer.pool_follows,
                                                .type = types[convolutions.size()]};
        convolutions.push_back(
            {layer.name, shape, layers::convolution_estimates(shape, plan.execution, choice)});
    }
    const auto is_onednn = [](const PlannedConvolution& convolution) {
        return convolution.algorithm() == layers::ConvolutionAlgorithm::onednn;
    };
    // Forcing what is not there is an error, never a fallback.
    if (choice == layers::ConvolutionChoice::onednn &&
        std::none_of(convolutions.begin(), convolutions.end(), is_onednn)) {
        if (kernels::onednn_version() == "none") {
            throw Error(ErrorKind::usage, "convolution: onednn: this build is without oneDNN");
        }
        throw Error(ErrorKind::usage, std::string("convolution: onednn: oneDNN ") +
                                          kernels::onednn_version() + " has none for these layers with " +
                                          kernels::isa_name(plan.execution.isa));
    }
    return convolutions;
}

Plan plan_of(const model::Network& network, const std::vector<layers::ConvolutionType>& types,
             const Preprocessing& preprocessing, const SessionOptions& options) {
    Plan plan;
    plan.execution.isa = choose_isa(options.isa);
    require_range("threads", options.threads, 0, most_threads);
    plan.execution.threads = options.threads == 0 ? kernels::available_cpus() : options.threads;
    require_range("batch", options.batch, std::size_t{1}, largest_batch);
    plan.execution.batch = options.batch;
    plan.input_size = options.input_size == 0 ? preprocessing.input_size : options.input_size;
    require_range("input size", plan.input_size, model::smallest_input, largest_input);
    plan.convolutions = plan_convolutions(network, plan, types, convolution_choice(options.convolution));
    return plan;
}

}  // namespace

Plan make_plan(const model::ModelFile& model, const SessionOptions& options) {
    std::vector<layers::ConvolutionType> types;
    for (const model::ConvolutionLayer& layer : model.network().convolutions()) {
        types.push_back(convolution_type(model, layer));
    }
    return plan_of(model.network(), types, model.description().preprocessing, options);
}

Plan make_plan(const model::Network& network, const Preprocessing& preprocessing,
               const SessionOptions& options) {
    const std::vector<layers::ConvolutionType> types(network.convolutions().size(),
                                                     layers::ConvolutionType::fp32);
    return plan_of(network, types, preprocessing, options);
}

}  // namespace vgg19
