// For tests: a VGG-19 with few channels, and a folder to keep its files in.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "bench/seeded_weights.h"
#include "engine/model/network.h"

namespace vgg19::bench::testing {

/// A fresh folder that goes, with all in it, when this does.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        static std::atomic<int> next{0};
        path_ = std::filesystem::temp_directory_path() /
                ("vgg19-bench-test-" + std::to_string(getpid()) + "-" + std::to_string(next++));
        std::filesystem::create_directories(path_);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// The nineteen layers, with few channels (all the more than a vector holds after pruning) and ten classes.
inline model::Network narrow_network() {
    return model::Network::parse("16 16 M 16 16 M 32 32 32 32 M 32 32 32 32 M 32 32 32 32 M", "32 32 10");
}

inline std::filesystem::path write_narrow_model(const std::filesystem::path& path) {
    write_seeded_model(path, narrow_network(), 1);
    return path;
}

}  // namespace vgg19::bench::testing
