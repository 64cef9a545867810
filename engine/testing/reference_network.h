// For tests: a network layer by layer, by the reference convolution, with every value that has a name.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/output_names.h"
#include "kernels/average_pool/window.h"
#include "kernels/reference/conv_reference.h"

namespace vgg19::testing {

/// The values of each of model::network_outputs, under its first name, of a batch in the plain layout. INT8
/// weights are taken with their scales, and 8-bit inputs are rounded, as the format says. Of a small input
/// only those that have a pixel.
class ReferenceNetwork {
  public:
    ReferenceNetwork(const model::ModelFile& file, std::size_t batch, MapSize size, std::vector<float> input,
                     Pooling pooling = Pooling::max)
        : file_(file), batch_(batch), size_(size), values_(std::move(input)), pooling_(pooling) {
        for (const model::NetworkOutput& output : model::network_outputs(file.network())) {
            if (output.kind == model::OutputKind::pool && size_.halved().empty()) return;
            compute(output);
            results_[output.names.front()] = values_;
        }
    }

    const std::vector<float>& operator[](const std::string& first_name) const {
        return results_.at(first_name);
    }

  private:
    void compute(const model::NetworkOutput& output) {
        using enum model::OutputKind;
        switch (output.kind) {
            case convolution:
                return convolve(output.layer);
            case relu:
            case dense_relu:
                std::replace_if(
                    values_.begin(), values_.end(), [](float value) { return value < 0; }, 0.0F);
                return;
            case pool:
                return pool_maps();
            case average_pool:
                return pool_adaptively();
            case dense:
                return multiply(file_.network().dense_layers()[output.layer]);
            case probabilities:
                return normalise();
        }
    }

    std::vector<float> weights_of(const std::string& layer) const {
        const model::Tensor& tensor = file_.tensor(model::weight_name(layer));
        const model::MappedFile::Use use = file_.use(tensor);
        if (!file_.is_int8(layer)) return {tensor.as<float>().begin(), tensor.as<float>().end()};
        const auto whole = tensor.as<std::int8_t>();
        const auto scales = file_.tensor(model::weight_scale_name(layer)).as<float>();
        std::vector<float> weights(whole.size());
        for (std::size_t i = 0; i < whole.size(); ++i) {
            weights[i] = static_cast<float>(whole[i]) * scales[i / (whole.size() / scales.size())];
        }
        return weights;
    }

    void convolve(std::size_t index) {
        const model::ConvolutionLayer& layer = file_.network().convolutions()[index];
        if (file_.is_int8(layer.name)) {
            constexpr float most = 255;
            const float scale = file_.tensor(model::input_scale_name(layer.name)).as<float>().front();
            for (float& value : values_) value = std::min(std::nearbyint(value / scale), most) * scale;
        }
        const std::vector<float> weights = weights_of(layer.name);
        std::vector<double> sums(batch_ * layer.output_channels * size_.pixels());
        kernels::conv_reference({.batch = batch_,
                                 .input_channels = layer.input_channels,
                                 .output_channels = layer.output_channels,
                                 .height = size_.height,
                                 .width = size_.width,
                                 .relu = false,
                                 .input = values_.data(),
                                 .weights = weights.data(),
                                 .bias = file_.tensor(model::bias_name(layer.name)).as<float>().data()},
                                sums.data(), nullptr);
        values_.assign(sums.begin(), sums.end());
    }

    /// Calls value_at(map, row, column) for each pixel of the new maps.
    template <class Value>
    void replace_maps(MapSize size, const Value& value_at) {
        std::vector<float> maps;
        for (std::size_t map = 0; map < values_.size() / size_.pixels(); ++map) {
            const float* values = values_.data() + map * size_.pixels();
            for (std::size_t pixel = 0; pixel < size.pixels(); ++pixel) {
                maps.push_back(value_at(values, pixel / size.width, pixel % size.width));
            }
        }
        values_ = std::move(maps);
        size_ = size;
    }

    void pool_maps() {
        replace_maps(size_.halved(), [&](const float* map, std::size_t row, std::size_t column) {
            const float* top = map + 2 * row * size_.width + 2 * column;
            const float* below = top + size_.width;
            if (pooling_ == Pooling::average) return (top[0] + top[1] + below[0] + below[1]) / 4;
            return std::max({top[0], top[1], below[0], below[1]});
        });
    }

    void pool_adaptively() {
        const std::size_t side = file_.network().pooled_side();
        replace_maps(side, [&](const float* map, std::size_t row, std::size_t column) {
            const kernels::PoolWindow rows = kernels::pool_window(row, size_.height, side);
            const kernels::PoolWindow columns = kernels::pool_window(column, size_.width, side);
            double sum = 0;
            for (std::size_t y = rows.begin; y < rows.end; ++y) {
                for (std::size_t x = columns.begin; x < columns.end; ++x) {
                    sum += double{map[y * size_.width + x]};
                }
            }
            const std::size_t count = (rows.end - rows.begin) * (columns.end - columns.begin);
            return static_cast<float>(sum / static_cast<double>(count));
        });
    }

    void multiply(const model::DenseLayer& layer) {
        const model::Tensor& tensor = file_.weight(layer);
        const model::MappedFile::Use use = file_.use(tensor);
        const bool input_major = file_.order(layer) == model::DenseOrder::input_major;
        const auto bias = file_.tensor(model::bias_name(layer.name)).as<float>();
        std::vector<float> outputs;
        for (std::size_t image = 0; image < batch_; ++image) {
            for (std::size_t o = 0; o < layer.outputs; ++o) {
                double sum = bias[o];
                for (std::size_t i = 0; i < layer.inputs; ++i) {
                    const std::size_t at = input_major ? i * layer.outputs + o : o * layer.inputs + i;
                    sum += double{values_[image * layer.inputs + i]} * double{tensor.as<float>()[at]};
                }
                outputs.push_back(static_cast<float>(sum));
            }
        }
        values_ = std::move(outputs);
    }

    void normalise() {
        const std::size_t classes = file_.network().classes();
        for (std::size_t image = 0; image < batch_; ++image) {
            float* logits = values_.data() + image * classes;
            const double most = *std::max_element(logits, logits + classes);
            double sum = 0;
            for (std::size_t i = 0; i < classes; ++i) sum += std::exp(double{logits[i]} - most);
            for (std::size_t i = 0; i < classes; ++i) {
                logits[i] = static_cast<float>(std::exp(double{logits[i]} - most) / sum);
            }
        }
    }

    const model::ModelFile& file_;
    std::size_t batch_;
    MapSize size_;
    std::vector<float> values_;  ///< of the last layer that was computed
    Pooling pooling_;
    std::map<std::string, std::vector<float>> results_;
};

}  // namespace vgg19::testing
