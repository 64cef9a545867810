#include <immintrin.h>

#include <iterator>

#include "bench/peaks_kernels.h"

namespace vgg19::bench {

float multiply_add_int8_avx512vnni(std::size_t rounds, std::uint64_t& operations) {
    // Twelve chains cover latency times units. Sums wrap, which costs no time.
    __m512i chains[12] = {};
    // Equal chains would be computed once.
    for (std::size_t chain = 0; chain < std::size(chains); ++chain) {
        chains[chain] = _mm512_set1_epi32(static_cast<int>(chain));
    }
    const __m512i activations = _mm512_set1_epi8(3);
    const __m512i weights = _mm512_set1_epi8(-5);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (__m512i& chain : chains) chain = _mm512_dpbusd_epi32(chain, activations, weights);
    }
    operations = std::uint64_t{rounds} * std::size(chains) * 64 * 2;
    for (std::size_t chain = 1; chain < std::size(chains); ++chain) {
        chains[0] = _mm512_add_epi32(chains[0], chains[chain]);
    }
    return static_cast<float>(_mm512_cvtsi512_si32(chains[0]));
}

}  // namespace vgg19::bench
