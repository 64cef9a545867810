// For tests: random numbers with a seed that can be replayed after a failure.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace vgg19::kernels::testing {

/// A generator seeded from the environment variable VGG19_TEST_SEED: a number, or `random` for a new seed in
/// every run (`script/test seeds`). Without the variable the seed is fixed, so that results change only with
/// the code. Tests use `INFO(random.replay())` to print the seed on failure. A test that repeats a draw must
/// pass different numbers, because every generator starts with the same seed.
class Random {
  public:
    explicit Random(std::uint32_t draw = 0) : engine_(seed() + 0x9E3779B9U * draw) {}

    static std::string replay() { return "replay with VGG19_TEST_SEED=" + std::to_string(seed()); }
    float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
    int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }

    template <class Container>
    void fill(Container& values, float low, float high) {
        for (auto& value : values) value = uniform(low, high);
    }

  private:
    /// The process's.
    static std::uint32_t seed() {
        static const std::uint32_t seed = [] {
            const char* given = std::getenv("VGG19_TEST_SEED");
            if (given == nullptr) return std::uint32_t{19};
            if (std::string_view(given) == "random") return std::uint32_t{std::random_device{}()};
            return static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
        }();
        return seed;
    }

    std::mt19937 engine_;
};

}  // namespace vgg19::kernels::testing
