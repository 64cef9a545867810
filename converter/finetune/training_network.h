// A network in training: its parameters, a forward pass that keeps what the backward pass needs, and
// gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/finetune/feature_match.h"
#include "converter/finetune/objective.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Which layers are trained; the others are frozen. The head is the last dense layer.
enum class TrainedLayers : unsigned char { all, dense, convolutions, head };

/// Whether convolutions are trained.
constexpr bool trains_convolutions(TrainedLayers trained) {
    return trained == TrainedLayers::all || trained == TrainedLayers::convolutions;
}

/// Whether this dense layer is trained.
constexpr bool trains_dense(TrainedLayers trained, bool is_last) {
    return trained == TrainedLayers::all || trained == TrainedLayers::dense ||
           (trained == TrainedLayers::head && is_last);
}

struct TrainingNetworkOptions {
    MapSize input_size{};   ///< empty: the model's own
    std::size_t batch = 1;  ///< images per accumulate()
    int threads = 0;        ///< 0 means as many as this process has CPUs
    TrainedLayers trained = TrainedLayers::all;
    double dropout = 0.5;  ///< share of the first two dense layers' outputs that is zeroed, below 1
    Objective objective;
};

/// A weight or bias with the file's name, shape and order, and the sum of its gradients.
struct Parameter {
    std::string name;
    std::vector<std::size_t> shape;
    std::span<float> values;
    std::span<float> gradient;  ///< empty if the parameter is frozen
    bool is_weight = false;     ///< weight decay applies
};

class TrainingNetwork {
  public:
    /// Copies the weights. Throws Error: usage for a model with quantised layers, for invalid options, and in
    /// a build without oneDNN.
    TrainingNetwork(const model::ModelFile& model, const TrainingNetworkOptions& options);
    TrainingNetwork(TrainingNetwork&&) noexcept;
    TrainingNetwork& operator=(TrainingNetwork&&) noexcept;
    ~TrainingNetwork();

    /// Runs images (count, 3, height, width), count = dropout_keys.size() ≤ batch, forward and backward, and
    /// adds the gradients of `scale` × their summed objective to the parameters'. `dropout_keys` has one
    /// number per image, which alone, with the layer, determines the dropped outputs; so results do not
    /// depend on batches or threads. Throws Error (usage) for targets of other sizes or beyond the classes,
    /// and (failed) if the loss is not finite.
    BatchResult accumulate(std::span<const float> images, const Targets& targets,
                           std::span<const std::uint64_t> dropout_keys, double scale);

    /// From now on, accumulate() compares the pools of targets that have some with the help of `match`, which
    /// must outlive this object.
    void match_features(const FeatureMatch& match);
    /// The outputs of the max-pools.
    struct Pool {
        std::size_t channels = 0;
        MapSize size{};
    };
    std::vector<Pool> pools() const;
    /// Those of the last forward pass of a network whose convolutions are trained: (count, channels, height,
    /// width).
    void copy_pool(std::size_t pool, std::size_t count, std::span<float> values) const;

    /// The same forward pass without dropout: (count, classes) logits.
    void logits(std::span<const float> images, std::span<float> logits);

    void zero_gradients();
    /// In the order of Network::tensors(). Callers may change values between calls.
    std::span<const Parameter> parameters() const;

    std::size_t batch() const;
    MapSize input_size() const;
    std::size_t classes() const;

    /// The memory in bytes of a network with these options, including gradients and activations, computed
    /// without creating it; used to choose a batch that fits.
    static std::uint64_t bytes(const model::ModelFile& model, const TrainingNetworkOptions& options);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19::converter
