#include "converter/quantize/expected_size.h"

#include <cstddef>

namespace vgg19::converter {

namespace {

/// A tensor's name, shape, place and checksum in the file's header.
constexpr std::size_t header_bytes = 210;

/// Sums up tensors.
class FileSize {
  public:
    void add(std::size_t values, std::size_t value_bytes) { bytes_ += values * value_bytes + header_bytes; }
    double bytes() const { return static_cast<double>(bytes_); }

  private:
    std::size_t bytes_ = 0;
};

}  // namespace

double expected_int8_bytes(const model::Network& network) {
    constexpr std::size_t taps = 9;
    FileSize size;
    bool first = true;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        const std::size_t weights = layer.input_channels * layer.output_channels * taps;
        size.add(layer.output_channels, sizeof(float));  // bias
        size.add(weights, first ? sizeof(float) : 1);
        if (!first) {
            size.add(layer.output_channels, sizeof(float));  // scales of the weights
            size.add(1, sizeof(float));                      // scale of the input
            size.add(model::winograd_positions, sizeof(float));
            size.add(model::winograd_f4x4_positions, sizeof(float));
        }
        first = false;
    }
    for (const model::DenseLayer& layer : network.dense_layers()) {
        size.add(layer.inputs * layer.outputs, 1);
        size.add(layer.outputs, sizeof(float));
        size.add(layer.outputs, sizeof(float));
    }
    return size.bytes();
}

}  // namespace vgg19::converter
