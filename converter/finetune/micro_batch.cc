#include "converter/finetune/micro_batch.h"

#include <limits>
#include <string>

#include "converter/evaluate/image_reader.h"
#include "kernels/common/memory.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

std::uint64_t trained_elements(const model::Network& network, TrainedLayers trained) {
    constexpr std::size_t taps = 9;  // of a 3×3 filter
    std::uint64_t elements = 0;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        if (trains_convolutions(trained)) {
            elements += std::uint64_t{layer.output_channels} * (layer.input_channels * taps + 1);
        }
    }
    const auto& dense = network.dense_layers();
    for (const model::DenseLayer& layer : dense) {
        const bool is_last = &layer == &dense.back();
        if (trains_dense(trained, is_last)) elements += std::uint64_t{layer.outputs} * (layer.inputs + 1);
    }
    return elements;
}

/// With the mean of the weights.
std::uint64_t optimizer_bytes(const model::Network& network, const FinetuneOptions& options) {
    const std::uint64_t moments = is_adam(options.optimizer.kind) ? 2 : 1;
    const std::uint64_t averages = options.average > 0 ? 1 : 0;
    return (moments + averages) * trained_elements(network, options.trained) * sizeof(float);
}

std::uint64_t memory(const FinetuneOptions& options) {
    if (options.memory_bytes > 0) return options.memory_bytes;
    const std::uint64_t available = kernels::available_memory_bytes();
    return available > 0 ? available / 10 * 8 : std::numeric_limits<std::uint64_t>::max();
}

std::string megabytes(std::uint64_t bytes) {
    constexpr std::uint64_t unit = 1'000'000;
    return std::to_string((bytes + unit - 1) / unit) + " MB";
}

}  // namespace

std::uint64_t training_bytes(const model::ModelFile& model, const FinetuneOptions& options,
                             std::size_t micro_batch) {
    const TrainingNetworkOptions network = {.input_size = options.input_size,
                                            .batch = micro_batch,
                                            .threads = options.threads,
                                            .trained = options.trained,
                                            .dropout = options.dropout};
    const std::uint64_t image = model::image_channels * options.input_size.pixels();
    return TrainingNetwork::bytes(model, network) + optimizer_bytes(model.network(), options) +
           ImageReader::batches_in_memory * options.batch * image * sizeof(float);
}

void require_fit(const model::ModelFile& model, const FinetuneOptions& options, std::size_t micro_batch) {
    const std::uint64_t needed = training_bytes(model, options, micro_batch);
    const std::uint64_t there = memory(options);
    if (needed <= there) return;
    const bool chosen = options.memory_bytes > 0;
    throw Error(chosen ? ErrorKind::usage : ErrorKind::failed,
                (chosen ? "--memory: " : "memory: ") + std::string("expected at least ") + megabytes(needed) +
                    ", which training with " + std::to_string(micro_batch) + " of " +
                    std::to_string(options.batch) + " images at a time takes; found " + megabytes(there) +
                    (chosen ? "" : " (80 % of what is available)"));
}

std::size_t choose_micro_batch(const model::ModelFile& model, const FinetuneOptions& options) {
    const std::uint64_t there = memory(options);
    std::size_t tried = 0;
    for (std::size_t parts = 1; parts <= options.batch; ++parts) {
        const std::size_t micro_batch = (options.batch + parts - 1) / parts;
        if (micro_batch == tried) continue;
        if (training_bytes(model, options, micro_batch) <= there) return micro_batch;
        tried = micro_batch;
    }
    require_fit(model, options, 1);
    return 1;
}

}  // namespace vgg19::converter
