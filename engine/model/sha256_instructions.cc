// SHA-256 with the SHA extensions: one instruction does two rounds.
#include <cpuid.h>
#include <immintrin.h>

#include "engine/model/sha256_blocks.h"

namespace vgg19::model {

bool cpu_has_sha() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
    constexpr unsigned needed = bit_SSSE3 | bit_SSE4_1;
    if ((ecx & needed) != needed) return false;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0;
}

namespace {

/// The eight state words in the order of the instructions, highest lane first: ABEF and CDGH.
struct State {
    __m128i abef;
    __m128i cdgh;
};

State load_state(const std::uint32_t* state) {
    const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state));
    const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state + 4));
    const __m128i cdab = _mm_shuffle_epi32(dcba, _MM_SHUFFLE(2, 3, 0, 1));
    const __m128i efgh = _mm_shuffle_epi32(hgfe, _MM_SHUFFLE(0, 1, 2, 3));
    return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

void store_state(std::uint32_t* state, const State& from) {
    const __m128i feba = _mm_shuffle_epi32(from.abef, _MM_SHUFFLE(0, 1, 2, 3));
    const __m128i dchg = _mm_shuffle_epi32(from.cdgh, _MM_SHUFFLE(2, 3, 0, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/// Rounds t to t + 3, with words t to t + 3 of the message schedule.
inline void four_rounds(State& state, __m128i words, std::size_t t) {
    const __m128i constants = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&sha256_constants[t]));
    const __m128i sums = _mm_add_epi32(words, constants);
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sums);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(sums, 0x0E));
}

/// Words t to t + 3, computed from the previous sixteen: w0 holds t - 16 to t - 13, and so on up to w3.
inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
    const __m128i seven_back = _mm_alignr_epi8(w3, w2, 4);
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), seven_back), w3);
}

}  // namespace

void sha256_blocks_instructions(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
    const __m128i big_endian = _mm_set_epi64x(0x0C0D0E0F08090A0B, 0x0405060700010203);
    State current = load_state(state);
    for (; count > 0; --count, blocks += sha256_block_bytes) {
        const State before = current;
        const auto* block = reinterpret_cast<const __m128i*>(blocks);
        __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(block), big_endian);
        __m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(block + 1), big_endian);
        __m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(block + 2), big_endian);
        __m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(block + 3), big_endian);
        for (std::size_t t = 0; t < 48; t += 16) {
            four_rounds(current, w0, t);
            w0 = next_words(w0, w1, w2, w3);
            four_rounds(current, w1, t + 4);
            w1 = next_words(w1, w2, w3, w0);
            four_rounds(current, w2, t + 8);
            w2 = next_words(w2, w3, w0, w1);
            four_rounds(current, w3, t + 12);
            w3 = next_words(w3, w0, w1, w2);
        }
        four_rounds(current, w0, 48);
        four_rounds(current, w1, 52);
        four_rounds(current, w2, 56);
        four_rounds(current, w3, 60);
        current.abef = _mm_add_epi32(current.abef, before.abef);
        current.cdgh = _mm_add_epi32(current.cdgh, before.cdgh);
    }
    store_state(state, current);
}

}  // namespace vgg19::model
