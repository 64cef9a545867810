#include <immintrin.h>

#include <array>
#include <iterator>

#include "bench/peaks_kernels.h"

namespace vgg19::bench {

std::uint64_t read_avx2(const std::uint64_t* data, std::size_t words) {
    __m256i sums[8] = {};
    for (std::size_t word = 0; word < words; word += 4 * std::size(sums)) {
        for (std::size_t lane = 0; lane < std::size(sums); ++lane) {
            const auto* source = reinterpret_cast<const __m256i*>(data + word + 4 * lane);
            sums[lane] = _mm256_xor_si256(sums[lane], _mm256_loadu_si256(source));
        }
    }
    for (std::size_t lane = 1; lane < std::size(sums); ++lane) {
        sums[0] = _mm256_xor_si256(sums[0], sums[lane]);
    }
    std::array<std::uint64_t, 4> parts{};
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts.data()), sums[0]);
    return parts[0] ^ parts[1] ^ parts[2] ^ parts[3];
}

float multiply_add_fp32_avx2(std::size_t rounds, std::uint64_t& operations) {
    // Twelve chains cover latency times units of every AVX2 CPU, and fit the sixteen registers. The values
    // settle at 1, so none becomes denormal.
    __m256 chains[12] = {};
    // Equal chains would be computed once.
    for (std::size_t chain = 0; chain < std::size(chains); ++chain) {
        chains[chain] = _mm256_set1_ps(static_cast<float>(chain));
    }
    const __m256 half = _mm256_set1_ps(0.5F);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (__m256& chain : chains) chain = _mm256_fmadd_ps(chain, half, half);
    }
    operations = std::uint64_t{rounds} * std::size(chains) * 8 * 2;
    for (std::size_t chain = 1; chain < std::size(chains); ++chain) {
        chains[0] = _mm256_add_ps(chains[0], chains[chain]);
    }
    return _mm256_cvtss_f32(chains[0]);
}

}  // namespace vgg19::bench
