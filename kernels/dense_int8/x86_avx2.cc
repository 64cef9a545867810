#include <immintrin.h>

#include <cstring>

#include "kernels/common/dense_tiles.h"
#include "kernels/dense_int8/dense_int8.h"
#include "kernels/dense_int8/finish.h"
#include "kernels/dense_int8/x86_lanes.h"

namespace vgg19::kernels {

namespace {

__m128i load_bytes(const void* values) {
    return _mm_loadu_si128(static_cast<const __m128i*>(values));
}

__m128i load_first_bytes(const void* values, std::size_t count) {
    unsigned char padded[sizeof(__m128i)] = {};
    std::memcpy(padded, values, count);
    return load_bytes(padded);
}

// Widens both sides to 16 bits and multiplies those: the instruction that multiplies bytes (vpmaddubsw)
// saturates its 16-bit sums, as 255 · 127 + 255 · 127 would.
struct Avx2 {
    using Sum = __m256i;
    static constexpr std::size_t lanes = 16;

    static __m256i zero() { return _mm256_setzero_si256(); }
    static __m256i load(const std::uint8_t* values) { return _mm256_cvtepu8_epi16(load_bytes(values)); }
    static __m256i load(const std::int8_t* values) { return _mm256_cvtepi8_epi16(load_bytes(values)); }
    static __m256i load_first(const std::uint8_t* values, std::size_t count) {
        return _mm256_cvtepu8_epi16(load_first_bytes(values, count));
    }
    static __m256i load_first(const std::int8_t* values, std::size_t count) {
        return _mm256_cvtepi8_epi16(load_first_bytes(values, count));
    }
    static __m256i multiply_add(__m256i inputs, __m256i weights, __m256i sum) {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(inputs, weights));
    }
    static std::int32_t total(__m256i sum) { return add_lanes(sum); }
};

}  // namespace

void dense_int8_avx2(const DenseInt8& problem, std::size_t begin, std::size_t end) {
    // Two images: eight sums and what they are made from fit the sixteen registers.
    compute_dense<Avx2, 4, 2>(problem, begin, end);
}

}  // namespace vgg19::kernels
