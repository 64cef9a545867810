// Quantises a model: only the dense layers, or every layer except the first.
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

/// The quantised type of dense weights.
enum class DenseType : unsigned char {
    int8,  ///< in their present order, with a scale per output channel; activations are quantised too,
           ///< at run time
    int4,  ///< input-major, with a scale per group of outputs; activations stay FP32
};

/// Writes the model with dense weights of that type, as variant "int8" ("pruned-int8" for a pruned model).
/// Stores nothing about activations. Throws Error (bad_input) for a model that is quantised already, for
/// weights that are not finite (or, for INT4, beyond half precision), and for an INT8 layer whose sums could
/// overflow 32 bits; (usage) if both paths are the same file.
void quantize_dense(const model::ModelFile& model, const model::Destination& output, DenseType type,
                    const model::Progress& progress = {});
/// To INT8.
void quantize_dense(const model::ModelFile& model, const model::Destination& output,
                    const model::Progress& progress = {});

/// How weights become integers.
enum class Rounding : unsigned char {
    nearest,
    error,  ///< as the outputs' error on calibration images says (converter/rounding/rounding.h)
};

/// Called after each layer.
using LayerProgress = std::function<void(std::uint64_t layers_done, std::uint64_t layers_total)>;

struct FullOptions {
    ConvolutionOptions convolutions;
    DenseType dense = DenseType::int8;
    std::vector<std::string> keep_fp32;     ///< layers that are not quantised
    std::vector<std::string> no_winograd;   ///< convolutions that may only run direct
    bool all_direct = false;                ///< no convolution may run by Winograd
    WeightBits weight_bits;                 ///< of INT8 layers
    Rounding rounding = Rounding::nearest;  ///< what round_by_error() makes of it is for the lineage

    /// Whether a convolution may run by Winograd.
    bool allows_winograd(const std::string& layer) const;
};

/// Throws Error (usage) that names an unknown layer, or one that has bits and will not be INT8.
void check_layers(const model::Network& network, const FullOptions& options);

struct QuantizedDense {
    model::DenseLayer layer;
    std::variant<QuantizedWeights, Int4Weights> weights;
    std::vector<float> bias{};  ///< that suits these weights; empty: the model's

    /// Views into this object's memory, and into the model's.
    std::vector<model::Tensor> tensors(const model::ModelFile& model) const;
};

/// The quantised layers.
struct FullQuantization {
    std::vector<QuantizedConvolution> convolutions;
    std::vector<QuantizedDense> dense_layers;
};

/// Quantises every layer except the first convolution, whose input is signed, and those in keep_fp32. Dense
/// layers are handled as in quantize_dense. Rounds to the nearest, whatever `rounding` is. `statistics` is
/// the result of calibrate(). Throws as quantize_dense and check_layers do.
FullQuantization quantize_all(const model::ModelFile& model,
                              const std::vector<ConvolutionStatistics>& statistics,
                              const FullOptions& options, const LayerProgress& progress = {});

/// Writes the model with those layers, as variant "int8-full" ("pruned-int8-full" for a pruned model), and
/// adds `step` to its lineage. Throws Error (usage) if both paths are the same file.
void write_full(const model::ModelFile& model, const FullQuantization& quantization, const std::string& step,
                const model::Destination& output, const model::Progress& progress = {});

}  // namespace vgg19::converter
