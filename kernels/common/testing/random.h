// For tests: random numbers that a failure can be replayed with.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace vgg19::kernels::testing {

/// A generator seeded from the environment variable VGG19_TEST_SEED, or at random. Tests say
/// `INFO(random.replay())`, so that a failure prints the seed.
class Random {
  public:
    Random() : seed_(initial_seed()), engine_(seed_) {}

    std::string replay() const { return "replay with VGG19_TEST_SEED=" + std::to_string(seed_); }
    float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
    int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }

    template <class Container>
    void fill(Container& values, float low, float high) {
        for (auto& value : values) value = uniform(low, high);
    }

  private:
    static std::uint32_t initial_seed() {
        const char* given = std::getenv("VGG19_TEST_SEED");
        return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                                : std::random_device{}();
    }

    std::uint32_t seed_;
    std::mt19937 engine_;
};

}  // namespace vgg19::kernels::testing
