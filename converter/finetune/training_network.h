// A network that learns: its parameters, a forward pass that keeps what the backward pass needs, and
// gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The layers whose parameters change; the others are frozen. The head is the last dense layer.
enum class TrainedLayers : unsigned char { all, dense, convolutions, head };

/// Whether convolutions change.
constexpr bool trains_convolutions(TrainedLayers trained) {
    return trained == TrainedLayers::all || trained == TrainedLayers::convolutions;
}

/// Whether that dense layer does.
constexpr bool trains_dense(TrainedLayers trained, bool is_last) {
    return trained == TrainedLayers::all || trained == TrainedLayers::dense ||
           (trained == TrainedLayers::head && is_last);
}

struct TrainingNetworkOptions {
    MapSize input_size{};   ///< empty: the model's own
    std::size_t batch = 1;  ///< images of one accumulate()
    int threads = 0;        ///< 0: as many as the CPUs that this process may use
    TrainedLayers trained = TrainedLayers::all;
    double dropout = 0.5;  ///< share of the first two dense layers' outputs that are zeroed, below 1
};

/// A weight or bias under its name in the file, of the file's shape and order, and the sum of its gradients.
struct Parameter {
    std::string name;
    std::vector<std::size_t> shape;
    std::span<float> values;
    std::span<float> gradient;  ///< empty where the parameter is frozen
    bool is_weight = false;     ///< weight decay is for these
};

/// What a batch came to before its gradients are applied.
struct BatchResult {
    double loss = 0;         ///< the sum over its images of −ln softmax(logits)[label]
    std::uint64_t top1 = 0;  ///< images whose largest logit was the label's
};

class TrainingNetwork {
  public:
    /// Copies the weights. Throws Error: usage for a model with quantised layers, for options that cannot be,
    /// and in a build without oneDNN.
    TrainingNetwork(const model::ModelFile& model, const TrainingNetworkOptions& options);
    TrainingNetwork(TrainingNetwork&&) noexcept;
    TrainingNetwork& operator=(TrainingNetwork&&) noexcept;
    ~TrainingNetwork();

    /// Runs images (count, 3, height, width), count = labels.size() ≤ batch, forward and back, and
    /// adds the gradients of `scale` × their summed cross-entropy to the parameters'. `dropout_keys` has a
    /// number an image: which outputs are dropped follows from it and from the layer alone, so that neither
    /// batches nor threads change it. Throws Error (failed) for a loss that is not finite.
    BatchResult accumulate(std::span<const float> images, std::span<const std::size_t> labels,
                           std::span<const std::uint64_t> dropout_keys, double scale);

    /// The same forward pass without dropout: (count, classes) logits.
    void logits(std::span<const float> images, std::span<float> logits);

    void zero_gradients();
    /// In the order of Network::tensors(). Values may be changed between calls.
    std::span<const Parameter> parameters() const;

    std::size_t batch() const;
    MapSize input_size() const;
    std::size_t classes() const;

    /// Bytes that a network with these options takes in all, its gradients and activations included, without
    /// making it: for the choice of a batch that fits.
    static std::uint64_t bytes(const model::ModelFile& model, const TrainingNetworkOptions& options);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19::converter
