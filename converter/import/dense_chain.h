// The dense layers of a checkpoint's VGG, in the order in which they run.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/modules.h"

namespace vgg19::converter {

struct DenseChain {
    std::vector<const Module*> layers;  ///< none where there are no modules
    std::size_t pooled_side = 0;        ///< of the map that the first one sees
    /// Why the order is in doubt, or which layer is missing between two: a line each.
    std::vector<std::string> problems;
};

/// Orders modules with dense weights (outputs, inputs), or those of convolutions over their whole input, so
/// that each reads what the one before it writes, and the first one channels · side² values. Where several
/// orders do, names decide by their numbers; where names do not, and the file's order is another, it is a
/// problem that shows both. Where no order does, the result is the largest group of modules by their names.
DenseChain dense_chain(const std::vector<const Module*>& modules, std::string_view prefix,
                       std::size_t channels);

/// Outputs and inputs of a dense weight of two or four dimensions.
std::size_t dense_outputs(const std::vector<std::size_t>& shape);
std::size_t dense_inputs(const std::vector<std::size_t>& shape);

}  // namespace vgg19::converter
