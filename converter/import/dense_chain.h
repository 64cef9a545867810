// Finds the execution order of the dense layers of a checkpoint's VGG.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/modules.h"

namespace vgg19::converter {

struct DenseChain {
    std::vector<const Module*> layers;  ///< empty if there are no modules
    /// Whether each is the first of two factors of a layer, between which there is no ReLU.
    std::vector<bool> is_first_factor;
    std::size_t pooled_side = 0;  ///< side of the map that the first one reads
    /// One line each: why the order is ambiguous, or which layer is missing between two.
    std::vector<std::string> problems;
};

/// Orders modules with dense weights (outputs, inputs), or with convolutions over their whole input, so that
/// each reads the outputs of the previous one, and the first reads channels · side² values. If several orders
/// are possible, the numbers in the names decide. If the names do not decide and the file's order differs,
/// that is a problem, which shows both. If no order is possible, the result is the largest group of modules
/// by name.
///
/// Neighbours in a torch.nn.Sequential that stands in a layer's place, "classifier.0.0" and "classifier.0.1",
/// are the factors of that layer: a ReLU between them would have the second one's number.
DenseChain dense_chain(const std::vector<const Module*>& modules, std::string_view prefix,
                       std::size_t channels);

/// Outputs and inputs of a dense weight with two or four dimensions.
std::size_t dense_outputs(const std::vector<std::size_t>& shape);
std::size_t dense_inputs(const std::vector<std::size_t>& shape);

}  // namespace vgg19::converter
