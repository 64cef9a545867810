#include <algorithm>

#include "engine/program/planning.h"

namespace vgg19 {

namespace {

kernels::DenseWeights dense_type(const model::ModelFile& model, const model::DenseLayer& layer) {
    using enum kernels::DenseWeights;
    if (model.is_int4(layer.name)) return int4_input_major;
    const bool input_major = model.order(layer) == model::DenseOrder::input_major;
    if (model.is_int8(layer.name)) return input_major ? int8_input_major : int8_output_major;
    return input_major ? fp32_input_major : fp32_output_major;
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
/// what is cheapest at this price. Many layers turn at about the same price, so there may be room left: the
/// first ones then get lower prices.
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
    const double lowest = layers::ConvolutionEstimate{}.seconds_a_byte;
    double price = lowest;
    while (price < highest_price && bytes_at(price) > most_bytes) price *= step;
    double room = most_bytes - bytes_at(price);
    for (PlannedConvolution* planned : layers) {
        const auto more_at = [&](double lower) {
            return filter_bytes_at(*planned, lower) - filter_bytes_at(*planned, price);
        };
        double own = lowest;
        while (own < price && more_at(own) > room) own *= step;
        own = std::min(own, price);
        room -= more_at(own);
        set_price(*planned, own);
    }
}

/// Of the network, without regard to outputs.
layers::ConvolutionShape shape_of(const model::Network& network, const Plan& plan, const WeightTypes& types,
                                  std::size_t index) {
    const model::ConvolutionLayer& layer = network.convolutions()[index];
    const bool is_last = index + 1 == types.convolutions.size();
    return {.input_channels = layer.input_channels,
            .output_channels = layer.output_channels,
            .size = network.map_size(layer, plan.input_size),
            .plain_input = index == 0,
            .pool_follows = layer.pool_follows,
            .int8_follows = !is_last && types.convolutions[index + 1] != layers::ConvolutionType::fp32,
            .type = types.convolutions[index],
            .winograd_int8 = types.winograd_int8[index]};
}

}  // namespace

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
    if (types.dense.empty()) return types;
    const model::DenseLayer& first = model.network().dense_layers().front();
    types.can_fold_average_pool =
        !model.is_int4(first.name) && model.order(first) == model::DenseOrder::input_major;
    return types;
}

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

PlannedConvolution plan_convolution(const model::Network& network, const Plan& plan, const WeightTypes& types,
                                    layers::ConvolutionChoice choice, std::size_t index) {
    const layers::ConvolutionShape shape = shape_of(network, plan, types, index);
    return {network.convolutions()[index].name, shape,
            layers::convolution_estimates(shape, plan.execution, choice)};
}

std::vector<PlannedConvolution> plan_convolutions(const model::Network& network, const Plan& plan,
                                                  const WeightTypes& types,
                                                  layers::ConvolutionChoice choice) {
    std::vector<PlannedConvolution> convolutions;
    for (std::size_t i = 0; i < network.convolutions().size(); ++i) {
        convolutions.push_back(plan_convolution(network, plan, types, choice, i));
    }
    bound_filter_memory(convolutions);
    return convolutions;
}

PlannedConvolution replanned(const PlannedConvolution& convolution, const model::Network& network,
                             const Plan& plan, const WeightTypes& types, std::size_t index) {
    const layers::ConvolutionShape shape = shape_of(network, plan, types, index);
    return {convolution.layer,
            shape,
            {layers::convolution_estimate(convolution.algorithm(), shape, plan.execution)}};
}

}  // namespace vgg19
