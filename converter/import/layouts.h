// The VGG networks, and the names of their convolutions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/network.h"

namespace vgg19::converter {

/// How the convolutions of a container are named.
enum class Naming : unsigned char {
    sequential,  ///< by their index in a torch.nn.Sequential: "0", "2", "5", …
    numbered,    ///< by block and position, as in the literature: "conv1_1", …, "conv5_4", and "bn1_1"
    in_order,    ///< by any other scheme, in numeric order: "conv0", …, "conv15", and "bn0"
};

/// A VGG's convolutions and batch norms, and their names in the container.
struct Layout {
    int depth = 0;
    bool batch_norm = false;
    Naming naming = Naming::sequential;
    model::Network network;  ///< torchvision's network of that depth, or its first convolutions
    bool is_prefix = false;

    /// The names of the k-th convolution and of the batch norm after it.
    std::string convolution(std::size_t k) const;
    std::string norm(std::size_t k) const;
    /// "VGG-19 with batch norm", "VGG-19's first 13 convolutions"
    std::string title() const;
};

/// The first `count` convolutions, without a classifier. Depths whose first convolutions have the same names
/// differ only in whether a pool follows the last one: the deepest network decides, so that a pool is there
/// only where each of these networks, or a deeper one, has it.
Layout first_convolutions(const Layout& layout, std::size_t count);

/// VGG-19, 16, 13 and 11, each without and with batch norm.
std::vector<Layout> layouts_named(Naming naming);

/// A convolution or batch norm in the numbered naming, and how many keys of the path its name takes.
struct NumberedName {
    std::string name;  ///< "conv3_2" or "bn3_2"
    std::size_t keys = 1;
};
/// Recognises the last keys of a path: "conv3_2", "conv_3_2", "conv3-2", "block3_conv2", "block3.conv2",
/// "bn3_2", "norm3_2", "conv3_2_bn", "conv3_2.bn", "conv3_2.0" (and ".1", the batch norm), ignoring case.
std::optional<NumberedName> numbered_name(std::string_view last_but_one, std::string_view last);

}  // namespace vgg19::converter
