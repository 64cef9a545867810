// For tests: an FP32 network and its gradient in double, by loops that follow the formulas.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/output_names.h"
#include "kernels/average_pool/window.h"
#include "vgg19/model.h"

namespace vgg19::testing {

/// Of a batch, in the plain layout. Values have the first names of model::network_outputs.
class ReferenceGradient {
  public:
    using Values = std::vector<double>;

    /// Runs the network up to the value `last`.
    ReferenceGradient(const model::ModelFile& file, std::size_t batch, MapSize size, Values input,
                      const std::string& last, Pooling pooling = Pooling::max)
        : file_(file), batch_(batch), pooling_(pooling) {
        for (const model::NetworkOutput& output : model::network_outputs(file.network())) {
            nodes_.push_back({.output = output, .size = size, .input = std::move(input)});
            if (output.kind == model::OutputKind::pool) size = size.halved();
            if (output.kind == model::OutputKind::average_pool) size = MapSize(file.network().pooled_side());
            input = forward(nodes_.back(), size);
            values_[output.names.front()] = input;
            if (output.names.front() == last) break;
        }
    }

    const Values& operator[](const std::string& first_name) const { return values_.at(first_name); }

    /// The gradient with respect to the input of Σ gradients[name] · value of that name.
    Values backward(const std::map<std::string, std::vector<float>>& gradients) const {
        Values gradient(values_.at(nodes_.back().output.names.front()).size());
        for (std::size_t i = nodes_.size(); i-- > 0;) {
            const auto given = gradients.find(nodes_[i].output.names.front());
            if (given != gradients.end()) {
                for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += double{given->second[k]};
            }
            gradient = backward_through(nodes_[i], gradient);
        }
        return gradient;
    }

  private:
    struct Node {
        model::NetworkOutput output;
        MapSize size{};  ///< of its input, if that is maps
        Values input;
    };

    /// Calls body(output index, input index, weight) for each product of a convolution of the batch.
    template <class Body>
    void for_each_product(const Node& node, const Body& body) const {
        const model::ConvolutionLayer& layer = file_.network().convolutions()[node.output.layer];
        const model::Tensor& tensor = file_.tensor(model::weight_name(layer.name));
        const model::MappedFile::Use use = file_.use(tensor);
        const float* weights = tensor.as<float>().data();
        const auto [height, width] = node.size;
        for (std::size_t image = 0; image < batch_; ++image) {
            for (std::size_t o = 0; o < layer.output_channels; ++o) {
                for (std::size_t i = 0; i < layer.input_channels * 9; ++i) {
                    const double weight = weights[o * layer.input_channels * 9 + i];
                    for (std::size_t y = 0; y < height; ++y) {
                        const std::size_t row = y + i % 9 / 3 - 1;
                        if (row >= height) continue;  // −1 wraps to a value past the end
                        for (std::size_t x = 0; x < width; ++x) {
                            const std::size_t column = x + i % 3 - 1;
                            if (column >= width) continue;
                            body(((image * layer.output_channels + o) * height + y) * width + x,
                                 ((image * layer.input_channels + i / 9) * height + row) * width + column,
                                 weight);
                        }
                    }
                }
            }
        }
    }

    /// The same for a dense layer.
    template <class Body>
    void for_each_dense_product(const Node& node, const Body& body) const {
        const model::DenseLayer& layer = file_.network().dense_layers()[node.output.layer];
        const model::MappedFile::Use use = file_.use(file_.weight(layer));
        const float* weights = file_.weight(layer).as<float>().data();
        const bool input_major = file_.order(layer) == model::DenseOrder::input_major;
        for (std::size_t image = 0; image < batch_; ++image) {
            for (std::size_t o = 0; o < layer.outputs; ++o) {
                for (std::size_t i = 0; i < layer.inputs; ++i) {
                    body(image * layer.outputs + o, image * layer.inputs + i,
                         double{weights[input_major ? i * layer.outputs + o : o * layer.inputs + i]});
                }
            }
        }
    }

    /// Calls body(output index, the four input indices) for each window of a 2×2 pool.
    template <class Body>
    void for_each_square(const Node& node, const Body& body) const {
        const MapSize pooled = node.size.halved();
        const std::size_t maps = node.input.size() / node.size.pixels();
        for (std::size_t i = 0; i < maps * pooled.pixels(); ++i) {
            const std::size_t map = i / pooled.pixels();
            const std::size_t row = map * node.size.height + 2 * (i % pooled.pixels() / pooled.width);
            const std::size_t first = row * node.size.width + 2 * (i % pooled.width);
            const std::size_t below = first + node.size.width;
            body(i, std::array{first, first + 1, below, below + 1});
        }
    }

    /// Calls body(output index, input index, share) for each input of each window of the adaptive pool.
    template <class Body>
    void for_each_share(const Node& node, const Body& body) const {
        const std::size_t side = file_.network().pooled_side();
        const std::size_t maps = node.input.size() / node.size.pixels();
        for (std::size_t i = 0; i < maps * side * side; ++i) {
            const kernels::PoolWindow rows = kernels::pool_window(i / side % side, node.size.height, side);
            const kernels::PoolWindow columns = kernels::pool_window(i % side, node.size.width, side);
            const std::size_t count = (rows.end - rows.begin) * (columns.end - columns.begin);
            for (std::size_t y = rows.begin; y < rows.end; ++y) {
                for (std::size_t x = columns.begin; x < columns.end; ++x) {
                    const std::size_t map = i / (side * side);
                    body(i, (map * node.size.height + y) * node.size.width + x,
                         1 / static_cast<double>(count));
                }
            }
        }
    }

    std::size_t first_largest(const Node& node, const std::array<std::size_t, 4>& square) const {
        std::size_t best = square[0];
        for (const std::size_t index : square) {
            if (node.input[index] > node.input[best]) best = index;
        }
        return best;
    }

    Values with_bias(const std::string& layer, std::size_t channels, std::size_t pixels) const {
        const auto bias = file_.tensor(model::bias_name(layer)).as<float>();
        Values values(batch_ * channels * pixels);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = double{bias[i / pixels % channels]};
        return values;
    }

    Values forward(const Node& node, MapSize output_size) const {
        using enum model::OutputKind;
        const Values& x = node.input;
        const std::size_t maps = x.size() / std::max<std::size_t>(node.size.pixels(), 1);
        Values y = x;
        const auto add = [&](std::size_t o, std::size_t i, double weight) { y[o] += weight * x[i]; };
        switch (node.output.kind) {
            case convolution: {
                const auto& layer = file_.network().convolutions()[node.output.layer];
                y = with_bias(layer.name, layer.output_channels, node.size.pixels());
                for_each_product(node, add);
                break;
            }
            case dense: {
                const auto& layer = file_.network().dense_layers()[node.output.layer];
                y = with_bias(layer.name, layer.outputs, 1);
                for_each_dense_product(node, add);
                break;
            }
            case relu:
            case dense_relu:
                for (double& value : y) value = std::max(value, 0.0);
                break;
            case pool:
                y.assign(maps * output_size.pixels(), 0);
                for_each_square(node, [&](std::size_t o, const std::array<std::size_t, 4>& square) {
                    for (const std::size_t i : square) y[o] += x[i] / 4;
                    if (pooling_ == Pooling::max) y[o] = x[first_largest(node, square)];
                });
                break;
            case average_pool:
                y.assign(maps * output_size.pixels(), 0);
                for_each_share(node, add);
                break;
            case probabilities:
                normalise(y);
                break;
        }
        return y;
    }

    void normalise(Values& values) const {
        const std::size_t classes = values.size() / batch_;
        for (std::size_t image = 0; image < batch_; ++image) {
            double sum = 0;
            double* first = values.data() + image * classes;
            for (std::size_t i = 0; i < classes; ++i) sum += first[i] = std::exp(first[i]);
            for (std::size_t i = 0; i < classes; ++i) first[i] /= sum;
        }
    }

    Values backward_through(const Node& node, const Values& gradient) const {
        using enum model::OutputKind;
        Values result(node.input.size());
        const auto add = [&](std::size_t o, std::size_t i, double weight) {
            result[i] += weight * gradient[o];
        };
        switch (node.output.kind) {
            case convolution:
                for_each_product(node, add);
                break;
            case dense:
                for_each_dense_product(node, add);
                break;
            case relu:
            case dense_relu:
                for (std::size_t i = 0; i < result.size(); ++i) {
                    result[i] = node.input[i] > 0 ? gradient[i] : 0;
                }
                break;
            case pool:
                for_each_square(node, [&](std::size_t o, const std::array<std::size_t, 4>& square) {
                    if (pooling_ == Pooling::max) return add(o, first_largest(node, square), 1);
                    for (const std::size_t i : square) add(o, i, 0.25);
                });
                break;
            case average_pool:
                for_each_share(node, add);
                break;
            case probabilities:
                result = of_softmax(node, gradient);
                break;
        }
        return result;
    }

    Values of_softmax(const Node& node, const Values& gradient) const {
        Values p = node.input;
        normalise(p);
        const std::size_t classes = p.size() / batch_;
        Values result(p.size());
        for (std::size_t i = 0; i < p.size(); ++i) {
            const std::size_t first = i / classes * classes;
            for (std::size_t j = first; j < first + classes; ++j) {
                result[i] += gradient[j] * p[j] * ((i == j ? 1 : 0) - p[i]);
            }
        }
        return result;
    }

    const model::ModelFile& file_;
    std::size_t batch_;
    Pooling pooling_;
    std::vector<Node> nodes_;
    std::map<std::string, Values> values_;
};

}  // namespace vgg19::testing
