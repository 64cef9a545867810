#include <algorithm>
#include <string>

#include "engine/program/planning.h"

namespace vgg19 {

namespace {

using model::OutputKind;

/// Appends steps to a plan; each step's input is the output of the last one that is not a tap.
class StepList {
  public:
    explicit StepList(Plan& plan) : plan_(plan) {}

    void begin_layer(const std::string& name) {
        name_ = name;
        plan_.first_steps.push_back(plan_.steps.size());
    }
    Step& add(StepKind kind, const Activation& output, Arithmetic arithmetic = Arithmetic::fp32,
              std::uint64_t macs = 0) {
        append(kind, output, arithmetic, macs);
        last_ = output;
        return plan_.steps.back();
    }
    void add_tap(StepKind kind, const Activation& output, std::size_t result) {
        Step& step = append(kind, output, Arithmetic::fp32, 0);
        step.layer_name = plan_.outputs[result].name;
        step.result = result;
        step.is_tap = true;
    }
    /// Writes the last step's output wherever it is asked for under this kind: in the plain layout, that step
    /// does so itself.
    void give(OutputKind kind, std::size_t layer) {
        for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
            if (!plan_.outputs[i].is(kind, layer)) continue;
            Step& step = plan_.steps.back();
            if (last_.format == Activation::Format::plain && !step.is_tap && !step.result) {
                step.result = i;
            } else {
                add_tap(StepKind::output, {Activation::Format::plain, last_.channels, last_.size}, i);
            }
        }
    }
    void end() { plan_.first_steps.push_back(plan_.steps.size()); }
    void set_input(const Activation& input) { last_ = input; }
    const Activation& last() const { return last_; }

  private:
    Step& append(StepKind kind, const Activation& output, Arithmetic arithmetic, std::uint64_t macs) {
        return plan_.steps.emplace_back(Step{.kind = kind,
                                             .arithmetic = arithmetic,
                                             .layer = plan_.first_steps.size() - 1,
                                             .layer_name = name_,
                                             .input = last_,
                                             .output = output,
                                             .macs = macs});
    }

    Plan& plan_;
    std::string name_;
    Activation last_;
};

/// What must be computed of a convolution layer.
struct Needed {
    bool relu = false;
    bool pool = false;
    bool next_layer = false;
};

Needed needed_of(const Plan& plan, std::size_t index) {
    const model::NetworkOutput& last = plan.last_output();
    const bool is_last = model::is_map(last.kind) && last.layer == index;
    return {
        .relu = !is_last || last.kind >= OutputKind::relu,
        .pool = plan.convolutions[index].shape.pool_follows && (!is_last || last.kind == OutputKind::pool),
        .next_layer = !is_last};
}

/// What of the following steps the convolution must leave to them.
void set_executed_shape(const Plan& plan, const Needed& needed, std::size_t index,
                        layers::ConvolutionShape& shape) {
    const bool before_relu = plan.gives(OutputKind::convolution, index);
    const bool before_pool = before_relu || plan.gives(OutputKind::relu, index);
    const bool fuses_pool = needed.pool && !before_pool && !plan.gradients && plan.pooling == Pooling::max;
    shape.relu = !before_relu;
    shape.float_output = before_pool || plan.gives(OutputKind::pool, index) || !needed.next_layer ||
                         (needed.pool && !fuses_pool);
    shape.pool_follows = fuses_pool;
}

/// Adds the convolution, and the steps needed before the next layer.
void add_convolution(StepList& steps, Plan& plan, std::size_t index) {
    using enum Activation::Format;
    PlannedConvolution& planned = plan.convolutions[index];
    layers::ConvolutionShape& shape = planned.shape;
    const Needed needed = needed_of(plan, index);
    set_executed_shape(plan, needed, index, shape);
    const bool pools = layers::pools_itself(planned.algorithm(), shape);
    const bool quantizes = layers::quantizes_itself(planned.algorithm(), shape);
    const std::size_t channels = shape.output_channels;
    const Arithmetic arithmetic =
        shape.type == layers::ConvolutionType::fp32 ? Arithmetic::fp32 : Arithmetic::int8;

    steps.begin_layer(planned.layer);
    steps.add(StepKind::convolution,
              {quantizes ? blocked_int8 : blocked, channels, pools ? shape.size.halved() : shape.size},
              arithmetic, shape.direct_operations() / 2);
    steps.give(OutputKind::convolution, index);
    if (!shape.relu && needed.relu) {
        steps.add(StepKind::relu, {blocked, channels, shape.size}).in_place = true;
    }
    steps.give(OutputKind::relu, index);
    if (needed.pool && !pools) {
        steps.add(plan.pooling == Pooling::max ? StepKind::max_pool : StepKind::average_pool_2x2,
                  {blocked, channels, shape.size.halved()});
    }
    steps.give(OutputKind::pool, index);
    if (needed.next_layer && shape.int8_follows && !quantizes) {
        steps.add(StepKind::quantization, {blocked_int8, channels, steps.last().size});
    }
}

/// Folds the average pool if that leaves fewer weights to read.
void add_average_pool(StepList& steps, const Plan& plan, std::size_t pooled_side, bool can_fold) {
    const auto [format, channels, size] = steps.last();
    const Activation pooled = {Activation::Format::plain, channels, MapSize(pooled_side)};
    const bool fold = can_fold && !plan.gradients && size.height <= pooled_side &&
                      size.width <= pooled_side && size != MapSize(pooled_side);
    if (!fold) {
        steps.add(StepKind::average_pool, pooled);
        steps.give(OutputKind::average_pool, 0);
        return;
    }
    for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
        if (plan.outputs[i].is(OutputKind::average_pool, 0)) steps.add_tap(StepKind::average_pool, pooled, i);
    }
    if (plan.last_output().kind != OutputKind::average_pool) {
        steps.add(StepKind::flatten, {Activation::Format::plain, channels, size});
    }
}

void add_dense(StepList& steps, const Plan& plan, const model::DenseLayer& layer, std::size_t index) {
    const Activation values = {Activation::Format::plain, layer.outputs, 1};
    const bool int8 = kernels::is_int8(plan.dense_weights[index]);
    steps.begin_layer(layer.name);
    steps.add(StepKind::dense, values, int8 ? Arithmetic::int8 : Arithmetic::fp32,
              model::Network::macs(layer));
    steps.give(OutputKind::dense, index);
    const bool relu_is_needed =
        layer.relu_follows && model::is_computed_by({OutputKind::dense_relu, index, {}}, plan.last_output());
    if (relu_is_needed && plan.gives(OutputKind::dense, index)) steps.add(StepKind::relu, values);
    if (relu_is_needed) steps.give(OutputKind::dense_relu, index);
}

}  // namespace

void plan_steps(const model::Network& network, const WeightTypes& types, Plan& plan) {
    const model::NetworkOutput& last = plan.last_output();
    if (model::is_map(last.kind)) {
        plan.convolutions.resize(last.layer + 1);
        plan.dense_weights.clear();
    }
    StepList steps(plan);
    steps.set_input({Activation::Format::plain, model::image_channels, plan.input_size});
    for (std::size_t i = 0; i < plan.convolutions.size(); ++i) add_convolution(steps, plan, i);
    if (!model::is_map(last.kind)) {
        add_average_pool(steps, plan, network.pooled_side(), types.can_fold_average_pool);
        const bool dense = last.kind != OutputKind::average_pool;
        plan.dense_weights.resize(dense ? last.layer + 1 : 0);
    }
    for (std::size_t i = 0; i < plan.dense_weights.size(); ++i) {
        add_dense(steps, plan, network.dense_layers()[i], i);
    }
    if (last.kind == OutputKind::probabilities) {
        steps.add(StepKind::softmax, steps.last());
        steps.give(OutputKind::probabilities, last.layer);
    }
    steps.end();
}

}  // namespace vgg19
