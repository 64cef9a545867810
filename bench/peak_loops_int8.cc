// Compiled once per ISA that has its own dot product of bytes.
#include "bench/peak_loops.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

float multiply_add_int8(std::size_t rounds, std::uint64_t& operations) {
    // Enough independent chains to hide the latency, and few enough for sixteen registers. Sums may overflow,
    // which costs no time.
    constexpr std::size_t chains = 12;
    constexpr std::uint8_t activations[4] = {3, 3, 3, 3};
    std::int8_t weights[4 * Vector::width];
    for (std::int8_t& weight : weights) weight = -5;
    Vector::Sum values[chains];
    for (std::size_t chain = 0; chain < chains; ++chain) {
        std::int32_t start[Vector::width];
        for (std::int32_t& lane : start) lane = static_cast<std::int32_t>(chain);
        values[chain] = Vector::load_sum(start);
    }
    const Vector::Quad quad = Vector::broadcast_quad(activations);
    const Vector::QuadWeights quad_weights = Vector::load_quad_weights(weights);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (auto& value : values) value = Vector::dot4(quad, quad_weights, value);
    }
    operations = std::uint64_t{rounds} * chains * 4 * Vector::width * 2;
    float total = 0;
    for (const auto& value : values) total += static_cast<float>(Vector::total_sum(value));
    return total;
}

}  // namespace vgg19::kernels::VGG19_ISA
