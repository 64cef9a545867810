// An ONNX graph as a chain of layers.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/formats/layer_chain.h"
#include "converter/import/onnx/onnx_file.h"
#include "converter/import/onnx/onnx_tensors.h"

namespace vgg19::converter {

/// Follows the values from the graph's input to its output. What the graph computes from weights or from
/// shapes alone is skipped if it changes no value: copies, transposes, shapes for Reshape.
class OnnxLayers {
  public:
    /// `name` is the file's, for messages.
    OnnxLayers(const OnnxGraph& graph, OnnxTensors& tensors, std::string name)
        : graph_(graph), tensors_(tensors), name_(std::move(name)) {}

    /// Throws Error (bad_input) for a graph that is not one chain, and for nodes that a VGG does not have.
    std::vector<ChainLayer> read();
    /// The size of the pictures that the graph expects; empty if it leaves it open.
    MapSize input_size() const;

  private:
    void check_operators() const;
    void check_padding(const OnnxNode& node) const;
    [[noreturn]] void fail(const OnnxNode& node, const std::string& problem) const;
    const onnx::ValueInfoProto& input() const;
    void add(const OnnxNode& node);
    void add_side(const OnnxNode& node);
    void add_convolution(const OnnxNode& node);
    void add_batch_norm(const OnnxNode& node);
    void add_pool(const OnnxNode& node, LayerKind kind);
    void add_mean(const OnnxNode& node);
    void add_gemm(const OnnxNode& node);
    void add_product(const OnnxNode& node);
    void add_sum(const OnnxNode& node);
    ChainLayer& append(LayerKind kind, const OnnxNode& node);
    const OnnxTensor* constant(const std::string& value) const;
    bool is_known(const std::string& value) const;
    /// The weights at an input of a node; fails if they are not in the file.
    StoredTensor weights(const OnnxNode& node, int place);
    /// A bias or a batch norm's parameter: one number for each output.
    StoredTensor vector(const OnnxNode& node, int place);
    void require(const OnnxNode& node, const std::string& attribute,
                 const std::vector<std::int64_t>& expected);
    void require_one(const OnnxNode& node, const std::string& attribute, double otherwise) const;

    const OnnxGraph& graph_;
    OnnxTensors& tensors_;
    std::string name_;
    std::string current_;                                     ///< the value that the layers so far compute
    std::map<std::string, const OnnxTensor*> constants_;      ///< what nodes give out that are constants
    std::map<std::string, std::vector<std::int64_t>> lists_;  ///< constants that are lists of attributes
    std::set<std::string> transposed_;                        ///< matrices, among these
    std::set<std::string> shapes_;                            ///< values computed from shapes
    std::vector<ChainLayer> layers_;
};

}  // namespace vgg19::converter
