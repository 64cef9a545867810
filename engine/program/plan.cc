#include "engine/program/plan.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "engine/program/tuned_machine.h"
#include "kernels/common/parallel.h"
#include "kernels/onednn/conv_onednn.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

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

/// The types of the weights of a network's layers.
struct WeightTypes {
    std::vector<layers::ConvolutionType> convolutions;
    std::vector<layers::WinogradInt8Scales> winograd_int8;
    std::vector<kernels::DenseWeights> dense;
    bool can_fold_average_pool = true;  ///< into the first dense layer's weights
};

kernels::DenseWeights dense_type(const model::ModelFile& model, const model::DenseLayer& layer) {
    using enum kernels::DenseWeights;
    if (model.is_int4(layer.name)) return int4_input_major;
    const bool input_major = model.order(layer) == model::DenseOrder::input_major;
    if (model.is_int8(layer.name)) return input_major ? int8_input_major : int8_output_major;
    return input_major ? fp32_input_major : fp32_output_major;
}

WeightTypes weight_types(const model::ModelFile& model) {
    WeightTypes types;
    for (const model::ConvolutionLayer& layer : model.network().convolutions()) {
        types.convolutions.push_back(model.is_int8(layer.name) ? layers::ConvolutionType::int8
                                                               : layers::ConvolutionType::fp32);
        types.winograd_int8.push_back(
            {.f2x2 = model.find(model::winograd_input_scale_name(layer.name)) != nullptr,
             .f4x4 = model.find(model::winograd_f4x4_input_scale_name(layer.name)) != nullptr});
    }
    for (const model::DenseLayer& layer : model.network().dense_layers()) {
        types.dense.push_back(dense_type(model, layer));
    }
    const model::DenseLayer& first = model.network().dense_layers().front();
    types.can_fold_average_pool =
        !model.is_int4(first.name) && model.order(first) == model::DenseOrder::input_major;
    return types;
}

/// Of a network without weights.
WeightTypes weight_types(const model::Network& network, Arithmetic arithmetic) {
    const bool int8 = arithmetic == Arithmetic::int8;
    const std::size_t count = network.convolutions().size();
    WeightTypes types;
    types.convolutions.assign(count, int8 ? layers::ConvolutionType::int8 : layers::ConvolutionType::fp32);
    types.convolutions.front() = layers::ConvolutionType::fp32;
    types.winograd_int8.assign(count, {.f2x2 = int8, .f4x4 = int8});
    types.dense.assign(network.dense_layers().size(), int8 ? kernels::DenseWeights::int8_input_major
                                                           : kernels::DenseWeights::fp32_input_major);
    return types;
}

/// The packed filters of the algorithm that is cheapest at a price of memory.
double filter_bytes_at(const PlannedConvolution& planned, double seconds_a_byte) {
    const auto cost = [&](const layers::ConvolutionEstimate& estimate) {
        return estimate.time.seconds + seconds_a_byte * estimate.weight_bytes;
    };
    return std::min_element(planned.estimates.begin(), planned.estimates.end(),
                            [&](const auto& a, const auto& b) { return cost(a) < cost(b); })
        ->weight_bytes;
}

void set_price(PlannedConvolution& planned, double seconds_a_byte) {
    for (auto& estimate : planned.estimates) estimate.seconds_a_byte = seconds_a_byte;
    std::stable_sort(planned.estimates.begin(), planned.estimates.end(),
                     [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
}

/// Large tiles take less time and more memory, and where a byte saves most time differs from layer to layer.
/// So one price of memory for all FP32 layers is raised until their packed filters fit, and each layer takes
/// what is cheapest at this price. Layers of the same shape turn at the same price, so the first ones keep
/// the last price before it as long as there is room.
void bound_filter_memory(std::vector<PlannedConvolution>& convolutions) {
    // F(4×4) takes four times the memory of the filters themselves.
    constexpr double most_growth = 4.25;
    constexpr double highest_price = 1e-9;
    constexpr double step = 1.05;
    double most_bytes = 0;
    std::vector<PlannedConvolution*> layers;
    for (PlannedConvolution& planned : convolutions) {
        if (planned.shape.type != layers::ConvolutionType::fp32) continue;
        most_bytes += most_growth * 9 * sizeof(float) *
                      static_cast<double>(planned.shape.input_channels * planned.shape.output_channels);
        layers.push_back(&planned);
    }
    const auto bytes_at = [&](double price) {
        double bytes = 0;
        for (const PlannedConvolution* planned : layers) bytes += filter_bytes_at(*planned, price);
        return bytes;
    };
    double before = layers::ConvolutionEstimate{}.seconds_a_byte;
    double price = before;
    while (price < highest_price && bytes_at(price) > most_bytes) {
        before = price;
        price *= step;
    }
    double room = most_bytes - bytes_at(price);
    for (PlannedConvolution* planned : layers) {
        const double more = filter_bytes_at(*planned, before) - filter_bytes_at(*planned, price);
        set_price(*planned, more <= room ? before : price);
        if (more <= room) room -= more;
    }
}

std::vector<PlannedConvolution> plan_convolutions(const model::Network& network, const Plan& plan,
                                                  const WeightTypes& types,
                                                  layers::ConvolutionChoice choice) {
    std::vector<PlannedConvolution> convolutions;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        const std::size_t index = convolutions.size();
        const bool is_last = index + 1 == types.convolutions.size();
        const layers::ConvolutionShape shape = {
            .input_channels = layer.input_channels,
            .output_channels = layer.output_channels,
            .size = network.map_size(layer, plan.input_size),
            .plain_input = index == 0,
            .pool_follows = layer.pool_follows,
            .int8_follows = !is_last && types.convolutions[index + 1] != layers::ConvolutionType::fp32,
            .type = types.convolutions[index],
            .winograd_int8 = types.winograd_int8[index]};
        convolutions.push_back(
            {layer.name, shape, layers::convolution_estimates(shape, plan.execution, choice)});
    }
    bound_filter_memory(convolutions);
    return convolutions;
}

/// Forcing something that is not available is an error, never a fallback.
void require_onednn(const Plan& plan) {
    if (plan.runs_onednn()) return;
    if (kernels::onednn_version() == "none") {
        throw Error(ErrorKind::usage, "convolution: onednn: this build is without oneDNN");
    }
    throw Error(ErrorKind::usage, std::string("convolution: onednn: oneDNN ") + kernels::onednn_version() +
                                      " has none for these layers with " +
                                      kernels::isa_name(plan.execution.isa));
}

/// Appends steps to a plan; each step's input is the output of the previous one.
class StepList {
  public:
    explicit StepList(Plan& plan) : plan_(plan) {}

    void begin_layer(const std::string& name) {
        name_ = name;
        plan_.first_steps.push_back(plan_.steps.size());
    }
    void add(StepKind kind, const Activation& output, Arithmetic arithmetic = Arithmetic::fp32,
             std::uint64_t macs = 0) {
        plan_.steps.push_back({.kind = kind,
                               .arithmetic = arithmetic,
                               .layer = plan_.first_steps.size() - 1,
                               .layer_name = name_,
                               .input = last_,
                               .output = output,
                               .macs = macs});
        last_ = output;
    }
    void end() { plan_.first_steps.push_back(plan_.steps.size()); }
    void set_input(const Activation& input) { last_ = input; }
    const Activation& last() const { return last_; }

  private:
    Plan& plan_;
    std::string name_;
    Activation last_;
};

/// Adds the convolution, and the steps needed before the next layer.
void add_convolution(StepList& steps, const PlannedConvolution& planned) {
    using enum Activation::Format;
    const layers::ConvolutionShape& shape = planned.shape;
    const bool pools = layers::pools_itself(planned.algorithm(), shape);
    const bool quantizes = layers::quantizes_itself(planned.algorithm(), shape);
    const MapSize pooled = shape.pool_follows ? shape.size.halved() : shape.size;
    const Arithmetic arithmetic =
        shape.type == layers::ConvolutionType::fp32 ? Arithmetic::fp32 : Arithmetic::int8;

    steps.begin_layer(planned.layer);
    steps.add(StepKind::convolution,
              {quantizes ? blocked_int8 : blocked, shape.output_channels, pools ? pooled : shape.size},
              arithmetic, shape.direct_operations() / 2);
    if (shape.pool_follows && !pools) {
        steps.add(StepKind::max_pool, {blocked, shape.output_channels, pooled});
    }
    if (shape.int8_follows && !quantizes) {
        steps.add(StepKind::quantization, {blocked_int8, shape.output_channels, pooled});
    }
}

/// Folds the average pool if that leaves fewer weights to read.
void add_average_pool(StepList& steps, std::size_t pooled_side, bool can_fold) {
    const auto [format, channels, size] = steps.last();
    const bool fold =
        can_fold && size.height <= pooled_side && size.width <= pooled_side && size != MapSize(pooled_side);
    steps.add(fold ? StepKind::flatten : StepKind::average_pool,
              {Activation::Format::plain, channels, fold ? size : MapSize(pooled_side)});
}

void plan_steps(const model::Network& network, const WeightTypes& types, Plan& plan) {
    StepList steps(plan);
    steps.set_input({Activation::Format::plain, model::image_channels, plan.input_size});
    for (const PlannedConvolution& planned : plan.convolutions) add_convolution(steps, planned);
    add_average_pool(steps, network.pooled_side(), types.can_fold_average_pool);
    for (std::size_t i = 0; i < network.dense_layers().size(); ++i) {
        const model::DenseLayer& layer = network.dense_layers()[i];
        steps.begin_layer(layer.name);
        const Arithmetic arithmetic = kernels::is_int8(types.dense[i]) ? Arithmetic::int8 : Arithmetic::fp32;
        steps.add(StepKind::dense, {Activation::Format::plain, layer.outputs, 1}, arithmetic,
                  model::Network::macs(layer));
    }
    steps.end();
}

MapSize input_size_of(const Preprocessing& preprocessing, const SessionOptions& options) {
    if (options.input_size() == MapSize()) return preprocessing.input_size;
    require_range("input height", options.input_height, model::smallest_input, model::largest_input);
    require_range("input width", options.input_width, model::smallest_input, model::largest_input);
    return options.input_size();
}

/// The ISA and the machine to plan for.
struct Target {
    kernels::Isa isa{};
    std::shared_ptr<const kernels::Machine> machine;
};

Target this_target(const SessionOptions& options) {
    Target target = {.isa = choose_isa(options.isa), .machine = nullptr};
    if (!options.plan_file.empty())
        target.machine = tuned_for_this_cpu(options.plan_file, target.isa, options.log);
    return target;
}

Plan plan_of(const model::Network& network, const WeightTypes& types, const Preprocessing& preprocessing,
             const SessionOptions& options, const Target& target) {
    Plan plan;
    plan.execution.isa = target.isa;
    plan.execution.machine = target.machine;
    require_range("threads", options.threads, 0, most_threads);
    plan.execution.threads = options.threads == 0 ? kernels::available_cpus() : options.threads;
    require_range("batch", options.batch, std::size_t{1}, largest_batch);
    plan.execution.batch = options.batch;
    plan.execution.workspace = options.workspace;
    plan.input_size = input_size_of(preprocessing, options);
    plan.dense_weights = types.dense;
    const layers::ConvolutionChoice choice = convolution_choice(options.convolution);
    plan.convolutions = plan_convolutions(network, plan, types, choice);
    if (choice == layers::ConvolutionChoice::onednn) require_onednn(plan);
    if (plan.runs_onednn() && options.parallel_for) {
        throw Error(ErrorKind::usage,
                    "convolution: onednn: oneDNN has threads of its own; expected another convolution with "
                    "parallel_for");
    }
    plan_steps(network, types, plan);
    return plan;
}

/// The step after the last convolution's steps.
const Step& pool_step(const Plan& plan) {
    const auto is_pool = [](const Step& step) {
        return step.kind == StepKind::average_pool || step.kind == StepKind::flatten;
    };
    return *std::find_if(plan.steps.begin(), plan.steps.end(), is_pool);
}

}  // namespace

MapSize Plan::dense_input_size() const {
    return pool_step(*this).output.size;
}

bool Plan::folds_average_pool() const {
    return pool_step(*this).kind == StepKind::flatten;
}

bool Plan::runs_onednn() const {
    return std::any_of(convolutions.begin(), convolutions.end(), [](const PlannedConvolution& convolution) {
        return convolution.algorithm() == layers::ConvolutionAlgorithm::onednn;
    });
}

Plan make_plan(const model::ModelFile& model, const SessionOptions& options) {
    model.require_classifier();
    return plan_of(model.network(), weight_types(model), model.description().preprocessing, options,
                   this_target(options));
}

Plan make_plan(const model::Network& network, const Preprocessing& preprocessing,
               const SessionOptions& options, Arithmetic arithmetic) {
    return plan_of(network, weight_types(network, arithmetic), preprocessing, options, this_target(options));
}

Plan make_plan_for(const model::ModelFile& model, const SessionOptions& options, kernels::Isa isa,
                   const kernels::Machine& machine) {
    model.require_classifier();
    return plan_of(model.network(), weight_types(model), model.description().preprocessing, options,
                   {isa, std::make_shared<const kernels::Machine>(machine)});
}

}  // namespace vgg19
