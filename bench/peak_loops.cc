// Compiled once for each ISA.
#include "bench/peak_loops.h"

#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

/// Enough independent chains to hide the latency, and few enough for sixteen registers.
constexpr std::size_t chains = 12;

}  // namespace

std::uint64_t read_words(const std::uint64_t* data, std::size_t words, std::size_t passes) {
    constexpr std::size_t lanes = sizeof(Vector::Register) / sizeof(std::uint64_t);
    constexpr std::size_t registers = 8;
    using Words = std::uint64_t __attribute__((vector_size(sizeof(Vector::Register))));
    Words sums[registers] = {};
    for (std::size_t pass = 0; pass < passes; ++pass) {
        for (std::size_t word = 0; word < words; word += registers * lanes) {
            for (std::size_t k = 0; k < registers; ++k) {
                Words value;
                __builtin_memcpy(&value, data + word + k * lanes, sizeof value);
                sums[k] ^= value;
            }
        }
        __asm__ volatile("" ::: "memory");  // each pass reads the words again
    }
    std::uint64_t sum = 0;
    for (const Words& part : sums) {
        for (std::size_t lane = 0; lane < lanes; ++lane) sum ^= part[lane];
    }
    return sum;
}

float multiply_add_fp32(std::size_t rounds, std::uint64_t& operations) {
    // All values converge to 1, so none becomes denormal. They differ at first, since the compiler would
    // compute equal chains only once.
    Vector::Register values[chains];
    for (std::size_t chain = 0; chain < chains; ++chain) {
        values[chain] = Vector::broadcast(static_cast<float>(chain));
    }
    const Vector::Register half = Vector::broadcast(0.5F);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (auto& value : values) value = Vector::multiply_add(value, half, half);
    }
    operations = std::uint64_t{rounds} * chains * Vector::width * 2;
    for (std::size_t chain = 1; chain < chains; ++chain) values[0] = Vector::add(values[0], values[chain]);
    return Vector::total(values[0]);
}

float chain_of_cycles(std::size_t rounds, std::uint64_t& operations) {
    constexpr std::size_t links = 16;       // more cycles than a multiply-add takes
    constexpr std::size_t beside_them = 8;  // so that the multiply-adds do not bind
    Vector::Register values[beside_them];
    for (auto& value : values) value = Vector::zero();
    const Vector::Register half = Vector::broadcast(0.5F);
    std::size_t chain = rounds;
    std::size_t other = rounds + 1;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (auto& value : values) value = Vector::multiply_add(value, half, half);
        for (std::size_t link = 0; link < links; ++link) {
            chain ^= other;
            __asm__ volatile("" : "+r"(chain), "+r"(other));  // the compiler must not join two links
        }
    }
    operations = std::uint64_t{rounds} * links;
    for (std::size_t i = 1; i < beside_them; ++i) values[0] = Vector::add(values[0], values[i]);
    return Vector::total(values[0]) + static_cast<float>(chain);
}

}  // namespace vgg19::kernels::VGG19_ISA
