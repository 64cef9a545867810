#include "converter/rounding/bit_choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <locale>
#include <sstream>
#include <variant>

#include "converter/refit/row_products.h"
#include "converter/rounding/coded_size.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t most_images = 64;
constexpr int few_bits = 3;
constexpr int more_bits = 5;

/// What each number of bits means for a layer.
struct Choices {
    std::string layer;
    std::array<double, most_weight_bits + 1> squared_error{};  ///< of the logits, relative
    std::array<std::uint64_t, most_weight_bits + 1> bytes{};
    int bits = most_weight_bits;
    bool fixed = false;
};

/// The INT8 weights of a quantised layer, or none.
std::span<const std::int8_t> levels(const QuantizedWeights& weights) {
    return {weights.values.get(), weights.outputs * weights.inputs};
}
std::span<const std::int8_t> levels(const QuantizedDense& dense) {
    const auto* int8 = std::get_if<QuantizedWeights>(&dense.weights);
    return int8 != nullptr ? levels(*int8) : std::span<const std::int8_t>();
}

FullOptions with_bits(const FullOptions& options, int bits) {
    FullOptions changed = options;
    changed.weight_bits = {.all = bits, .layers = {}};
    return changed;
}

std::size_t bytes_of(std::span<const model::Tensor> tensors) {
    std::size_t bytes = 0;
    for (const model::Tensor& tensor : tensors) bytes += tensor.bytes.size();
    return bytes;
}

/// Collects what the choice needs.
class Survey {
  public:
    Survey(const model::ModelFile& model, const std::vector<ConvolutionStatistics>& statistics,
           const CalibrationImages& images, const FullOptions& options, const ImageProgress& progress)
        : model_(model), statistics_(statistics), images_(images), options_(options), progress_(progress) {
        const std::size_t count = std::min(images.items.size(), most_images);
        images_.items.clear();
        for (std::size_t i = 0; i < count; ++i) {
            images_.items.push_back(images.items[i * images.items.size() / count]);
        }
    }

    void measure() {
        const std::vector<float> expected = run_images(model_, images_).logits;
        norm_ = std::max(squared_sum(expected), 1e-30);
        for (int bits = least_weight_bits; bits <= most_weight_bits; ++bits) {
            const FullQuantization quantization =
                quantize_all(model_, statistics_, with_bits(options_, bits));
            add_sizes(quantization, bits);
            if (bits == few_bits || bits == more_bits) add_errors(quantization, bits, expected);
        }
        for (Choices& choices : layers_) extend_errors(choices);
    }

    std::vector<Choices>& layers() { return layers_; }
    /// Of all tensors but the weights of the layers.
    std::uint64_t other_bytes() const { return other_bytes_; }

  private:
    void add_sizes(const FullQuantization& quantization, int bits) {
        if (layers_.empty()) count_others(quantization);
        std::size_t index = 0;
        for (const QuantizedConvolution& layer : quantization.convolutions) {
            layers_[index++].bytes[static_cast<std::size_t>(bits)] = huffman_bytes(levels(layer.weights));
        }
        for (const QuantizedDense& layer : quantization.dense_layers) {
            if (levels(layer).empty()) continue;
            layers_[index++].bytes[static_cast<std::size_t>(bits)] = huffman_bytes(levels(layer));
        }
    }

    /// Makes the list of layers too.
    void count_others(const FullQuantization& quantization) {
        std::vector<model::Tensor> replaced;
        std::size_t in_layers = 0;
        const auto add = [&](const std::string& name, const std::vector<model::Tensor>& tensors,
                             std::span<const std::int8_t> weights) {
            replaced.insert(replaced.end(), tensors.begin(), tensors.end());
            in_layers += weights.size();
            if (weights.empty()) return;
            const auto& named = options_.weight_bits.layers;
            layers_.push_back({.layer = name,
                               .bits = options_.weight_bits.of(name),
                               .fixed = named.find(name) != named.end()});
        };
        for (const QuantizedConvolution& layer : quantization.convolutions) {
            add(layer.name, layer.tensors(), levels(layer.weights));
        }
        for (const QuantizedDense& layer : quantization.dense_layers) {
            add(layer.layer.name, layer.tensors(model_), levels(layer));
        }
        const model::ModelFile changed = model_.with(replaced);
        other_bytes_ = bytes_of(changed.tensors()) - in_layers;
    }

    void add_errors(const FullQuantization& quantization, int bits, std::span<const float> expected) {
        std::size_t index = 0;
        const auto add = [&](const std::vector<model::Tensor>& tensors) {
            std::vector<float> found = run_images(model_.with(tensors), images_).logits;
            for (std::size_t i = 0; i < found.size(); ++i) found[i] -= expected[i];
            layers_[index++].squared_error[static_cast<std::size_t>(bits)] = squared_sum(found) / norm_;
            if (progress_) progress_(++runs_, 2 * layers_.size());
        };
        for (const QuantizedConvolution& layer : quantization.convolutions) add(layer.tensors());
        for (const QuantizedDense& layer : quantization.dense_layers) {
            if (!levels(layer).empty()) add(layer.tensors(model_));
        }
    }

    /// A straight line through the logarithms of the two that were measured.
    static void extend_errors(Choices& choices) {
        const double few = std::max(choices.squared_error[few_bits], 1e-30);
        const double more = std::clamp(choices.squared_error[more_bits], 1e-30, few);
        const double factor = std::sqrt(more / few);
        for (int bits = least_weight_bits; bits <= most_weight_bits; ++bits) {
            choices.squared_error[static_cast<std::size_t>(bits)] = few * std::pow(factor, bits - few_bits);
        }
    }

    const model::ModelFile& model_;
    const std::vector<ConvolutionStatistics>& statistics_;
    CalibrationImages images_;
    const FullOptions& options_;
    const ImageProgress& progress_;
    double norm_ = 1;
    std::uint64_t runs_ = 0;
    std::uint64_t other_bytes_ = 0;
    std::vector<Choices> layers_;
};

std::uint64_t bytes_now(const Choices& choices) {
    return choices.bytes[static_cast<std::size_t>(choices.bits)];
}

/// The layer that should lose a bit next, or null.
Choices* cheapest(std::vector<Choices>& layers) {
    Choices* best = nullptr;
    double least = 0;
    for (Choices& choices : layers) {
        if (choices.fixed || choices.bits == least_weight_bits) continue;
        const auto bits = static_cast<std::size_t>(choices.bits);
        const double saved =
            static_cast<double>(choices.bytes[bits]) - static_cast<double>(choices.bytes[bits - 1]);
        const double cost =
            (choices.squared_error[bits - 1] - choices.squared_error[bits]) / std::max(saved, 1.0);
        if (best != nullptr && cost >= least) continue;
        best = &choices;
        least = cost;
    }
    return best;
}

/// Rounded up, so that it is enough.
std::string megabytes(std::uint64_t bytes) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::fixed << std::setprecision(3) << std::ceil(static_cast<double>(bytes) / 1e3) / 1e3;
    return text.str();
}

}  // namespace

BitChoice choose_bits(const model::ModelFile& model, const std::vector<ConvolutionStatistics>& statistics,
                      const CalibrationImages& images, const FullOptions& options, std::uint64_t bytes,
                      const ImageProgress& progress) {
    Survey survey(model, statistics, images, options, progress);
    survey.measure();
    BitChoice result;
    result.bytes = survey.other_bytes();
    for (const Choices& choices : survey.layers()) result.bytes += bytes_now(choices);
    while (result.bytes > bytes) {
        Choices* next = cheapest(survey.layers());
        if (next == nullptr) {
            throw Error(ErrorKind::usage, "--target-mb: expected at least " + megabytes(result.bytes) +
                                              " MB, the size with 2 bits where bits may be chosen, found " +
                                              megabytes(bytes));
        }
        result.bytes -= bytes_now(*next);
        --next->bits;
        result.bytes += bytes_now(*next);
    }
    result.bits.all = options.weight_bits.all;
    double squares = 0;
    for (const Choices& choices : survey.layers()) {
        const double error = choices.squared_error[static_cast<std::size_t>(choices.bits)];
        squares += error;
        result.layers.push_back({choices.layer, choices.bits, std::sqrt(error), bytes_now(choices)});
        if (choices.bits != result.bits.all) result.bits.layers[choices.layer] = choices.bits;
    }
    result.error = std::sqrt(squares);
    return result;
}

}  // namespace vgg19::converter
