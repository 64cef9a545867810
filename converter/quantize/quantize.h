// Quantised models: the dense layers alone, or every layer but the first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "converter/quantize/convolutions.h"
#include "converter/quantize/int4_weights.h"
#include "converter/quantize/weights.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// What dense weights become.
enum class DenseType : unsigned char {
    int8,  ///< in the order that they have, with a scale per output channel; activations are quantised too,
           ///< at run time
    int4,  ///< input by input, with a scale for each group of outputs; activations stay FP32
};

/// Writes the model with dense weights of that type, as variant "int8" ("pruned-int8" for a pruned one).
/// Nothing about activations is stored. Throws Error (bad_input) for a model that is quantised already, has
/// weights that are not finite (or, for INT4, beyond half precision), or has an INT8 layer with more inputs
/// than a 32-bit sum can hold; (usage) when both paths are the same file.
void quantize_dense(const model::ModelFile& model, const std::filesystem::path& output, DenseType type,
                    const model::Progress& progress = {});
/// To INT8.
void quantize_dense(const model::ModelFile& model, const std::filesystem::path& output,
                    const model::Progress& progress = {});

/// Told after each layer.
using LayerProgress = std::function<void(std::uint64_t layers_done, std::uint64_t layers_total)>;

struct FullOptions {
    ConvolutionOptions convolutions;
    DenseType dense = DenseType::int8;
    std::vector<std::string> keep_fp32;    ///< layers that stay as they are
    std::vector<std::string> no_winograd;  ///< convolutions that may run direct alone
    bool all_direct = false;               ///< no convolution may run by Winograd
};

/// Throws Error (usage) that names a layer which the network does not have.
void check_layers(const model::Network& network, const FullOptions& options);

struct QuantizedDense {
    model::DenseLayer layer;
    std::variant<QuantizedWeights, Int4Weights> weights;

    /// They refer to this object's memory and to the model's bias.
    std::vector<model::Tensor> tensors(const model::ModelFile& model) const;
};

/// The layers that are quantised.
struct FullQuantization {
    std::vector<QuantizedConvolution> convolutions;
    std::vector<QuantizedDense> dense_layers;
};

/// Every layer but the first convolution, whose input is signed, and those that are to stay. Dense layers are
/// quantised as quantize_dense does it. `statistics` are calibrate()'s. Throws as quantize_dense and
/// check_layers do.
FullQuantization quantize_all(const model::ModelFile& model,
                              const std::vector<ConvolutionStatistics>& statistics,
                              const FullOptions& options, const LayerProgress& progress = {});

/// Writes the model with those layers, as variant "int8-full" ("pruned-int8-full" for a pruned one), and with
/// `step` at the end of its lineage. Throws Error (usage) when both paths are the same file.
void write_full(const model::ModelFile& model, const FullQuantization& quantization, const std::string& step,
                const std::filesystem::path& output, const model::Progress& progress = {});

}  // namespace vgg19::converter
