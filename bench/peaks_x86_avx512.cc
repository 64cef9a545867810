#include <immintrin.h>

#include <array>
#include <iterator>

#include "bench/peaks_kernels.h"

namespace vgg19::bench {

std::uint64_t read_avx512(const std::uint64_t* data, std::size_t words) {
    __m512i sums[8] = {};
    for (std::size_t word = 0; word < words; word += 8 * std::size(sums)) {
        for (std::size_t lane = 0; lane < std::size(sums); ++lane) {
            sums[lane] = _mm512_xor_si512(sums[lane], _mm512_loadu_si512(data + word + 8 * lane));
        }
    }
    for (std::size_t lane = 1; lane < std::size(sums); ++lane) {
        sums[0] = _mm512_xor_si512(sums[0], sums[lane]);
    }
    std::array<std::uint64_t, 8> parts{};
    _mm512_storeu_si512(parts.data(), sums[0]);
    std::uint64_t sum = 0;
    for (const std::uint64_t part : parts) sum ^= part;
    return sum;
}

float multiply_add_fp32_avx512(std::size_t rounds, std::uint64_t& operations) {
    // Twelve chains cover latency times units; the values settle at 1, so none becomes denormal.
    __m512 chains[12] = {};
    // Equal chains would be computed once.
    for (std::size_t chain = 0; chain < std::size(chains); ++chain) {
        chains[chain] = _mm512_set1_ps(static_cast<float>(chain));
    }
    const __m512 half = _mm512_set1_ps(0.5F);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (__m512& chain : chains) chain = _mm512_fmadd_ps(chain, half, half);
    }
    operations = std::uint64_t{rounds} * std::size(chains) * 16 * 2;
    for (std::size_t chain = 1; chain < std::size(chains); ++chain) {
        chains[0] = _mm512_add_ps(chains[0], chains[chain]);
    }
    return _mm512_cvtss_f32(chains[0]);
}

}  // namespace vgg19::bench
