#include <immintrin.h>

#include "kernels/dense_int8_sparse_input/add_rows.h"

namespace vgg19::kernels {

namespace {

// Widens to 16 bits and multiplies those, two rows at a time: the instruction that multiplies bytes
// saturates.
struct Avx2 {
    static constexpr std::size_t chunk = 16;

    /// Rows 0 and 1, then 2 and 3; of each the outputs 0…3 and 8…11, then 4…7 and 12…15.
    struct Weights {
        __m256i registers[4];
    };

    static Weights interleave(__m128i a, __m128i b, __m128i c, __m128i d) {
        const __m256i wide[] = {_mm256_cvtepi8_epi16(a), _mm256_cvtepi8_epi16(b), _mm256_cvtepi8_epi16(c),
                                _mm256_cvtepi8_epi16(d)};
        return {{_mm256_unpacklo_epi16(wide[0], wide[1]), _mm256_unpackhi_epi16(wide[0], wide[1]),
                 _mm256_unpacklo_epi16(wide[2], wide[3]), _mm256_unpackhi_epi16(wide[2], wide[3])}};
    }
    static __m128i load_row(const std::int8_t* row) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
    }
    static Weights load(const std::int8_t* const (&rows)[quad]) {
        return interleave(load_row(rows[0]), load_row(rows[1]), load_row(rows[2]), load_row(rows[3]));
    }
    static Weights load_first(const std::int8_t* const (&rows)[quad], std::size_t count) {
        std::int8_t padded[quad][chunk] = {};
        for (std::size_t r = 0; r < quad; ++r) std::memcpy(padded[r], rows[r], count);
        return interleave(load_row(padded[0]), load_row(padded[1]), load_row(padded[2]), load_row(padded[3]));
    }
    /// Two bytes as the two 16-bit halves of each lane.
    static __m256i pair(std::uint32_t inputs) {
        return _mm256_set1_epi32(static_cast<int>((inputs & 0xffU) | (inputs & 0xff00U) << 8U));
    }
    static void add_products(std::uint32_t inputs, const Weights& weights, std::int32_t* sums) {
        const __m256i lower = pair(inputs);
        const __m256i upper = pair(inputs >> 16U);
        for (std::size_t half = 0; half < 2; ++half) {
            auto* place = reinterpret_cast<__m256i*>(sums + 8 * half);
            const __m256i products = _mm256_add_epi32(_mm256_madd_epi16(lower, weights.registers[half]),
                                                      _mm256_madd_epi16(upper, weights.registers[2 + half]));
            _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), products));
        }
    }
    static std::size_t place(std::size_t output) { return output % 8 / 4 * 8 + output / 8 * 4 + output % 4; }
};

}  // namespace

void dense_int8_sparse_input_avx2(const DenseInt8SparseInput& problem, std::size_t begin, std::size_t end) {
    compute_sparse<Avx2>(problem, begin, end);
}

}  // namespace vgg19::kernels
