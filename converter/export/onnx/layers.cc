#include "converter/export/onnx/layers.h"

#include <algorithm>
#include <vector>

#include "kernels/average_pool/window.h"

namespace vgg19::converter {
namespace {

/// Row y of this matrix (outputs, inputs) times a vector is the mean of the pool's window y.
std::vector<float> window_shares(std::size_t inputs, std::size_t outputs) {
    std::vector<float> shares(outputs * inputs);
    for (std::size_t y = 0; y < outputs; ++y) {
        const kernels::PoolWindow window = kernels::pool_window(y, inputs, outputs);
        const float share = 1.0F / static_cast<float>(window.end - window.begin);
        std::fill(shares.begin() + static_cast<std::ptrdiff_t>(y * inputs + window.begin),
                  shares.begin() + static_cast<std::ptrdiff_t>(y * inputs + window.end), share);
    }
    return shares;
}

std::vector<float> transposed_shares(std::size_t inputs, std::size_t outputs) {
    const std::vector<float> shares = window_shares(inputs, outputs);
    std::vector<float> result(shares.size());
    for (std::size_t i = 0; i < shares.size(); ++i) result[i % inputs * outputs + i / inputs] = shares[i];
    return result;
}

}  // namespace

std::string add_convolution(OnnxGraph& graph, const std::string& input, const std::string& weight,
                            const std::string& bias, const std::string& output) {
    graph.add("Conv", {input, weight, bias}, output);
    graph.set_list("kernel_shape", {3, 3});
    graph.set_list("pads", {1, 1, 1, 1});
    return output;
}

std::string add_pool(OnnxGraph& graph, Pooling pooling, const std::string& input, const std::string& output) {
    graph.add(pooling == Pooling::max ? "MaxPool" : "AveragePool", {input}, output);
    graph.set_list("kernel_shape", {2, 2});
    graph.set_list("strides", {2, 2});
    return output;
}

/// ONNX has no such operator. Where windows are not all of one size, the pool is a product with a matrix on
/// either side.
std::string add_adaptive_average_pool(OnnxGraph& graph, const std::string& input, MapSize size,
                                      std::size_t side, const std::string& output) {
    if (size.height % side == 0 && size.width % side == 0) {
        const std::vector<std::int64_t> window = {static_cast<std::int64_t>(size.height / side),
                                                  static_cast<std::int64_t>(size.width / side)};
        graph.add("AveragePool", {input}, output);
        graph.set_list("kernel_shape", window);
        graph.set_list("strides", window);
        return output;
    }
    const std::string rows =
        graph.add_values(output + ".rows", {side, size.height}, window_shares(size.height, side));
    const std::string columns =
        graph.add_values(output + ".columns", {size.width, side}, transposed_shares(size.width, side));
    const std::string narrow = graph.add("MatMul", {input, columns}, output + ".narrow");
    return graph.add("MatMul", {rows, narrow}, output);
}

std::string add_dense(OnnxGraph& graph, const std::string& input, const std::string& weight,
                      const std::string& bias, const std::string& output) {
    graph.add("Gemm", {input, weight, bias}, output);
    graph.set("transB", 1);
    return output;
}

}  // namespace vgg19::converter
