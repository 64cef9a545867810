// For tests: a VGG-19 with few channels.
#pragma once

#include <filesystem>

#include "converter/variants/seeded_weights.h"
#include "engine/model/network.h"
#include "engine/testing/temporary_folder.h"

namespace vgg19::converter::testing {

using vgg19::testing::TemporaryFolder;

/// The nineteen layers, with few channels (but more than a vector holds, even after pruning) and ten classes.
inline model::Network narrow_network() {
    return model::Network::parse("16 16 M 16 16 M 32 32 32 32 M 32 32 32 32 M 32 32 32 32 M", "32 32 10");
}

inline std::filesystem::path write_narrow_model(const std::filesystem::path& path) {
    write_seeded_model(path, narrow_network(), 1);
    return path;
}

}  // namespace vgg19::converter::testing
