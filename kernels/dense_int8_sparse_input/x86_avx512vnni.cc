#include <immintrin.h>

#include "kernels/dense_int8_sparse_input/add_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx512Vnni {
    static constexpr std::size_t chunk = 64;

    /// Register k, 128-bit lane l: four rows of each of the outputs 16·l + 4·k and the three after it.
    struct Weights {
        __m512i registers[4];
    };

    static Weights interleave(__m512i a, __m512i b, __m512i c, __m512i d) {
        const __m512i lower_ab = _mm512_unpacklo_epi8(a, b);
        const __m512i upper_ab = _mm512_unpackhi_epi8(a, b);
        const __m512i lower_cd = _mm512_unpacklo_epi8(c, d);
        const __m512i upper_cd = _mm512_unpackhi_epi8(c, d);
        return {{_mm512_unpacklo_epi16(lower_ab, lower_cd), _mm512_unpackhi_epi16(lower_ab, lower_cd),
                 _mm512_unpacklo_epi16(upper_ab, upper_cd), _mm512_unpackhi_epi16(upper_ab, upper_cd)}};
    }
    static Weights load(const std::int8_t* const (&rows)[quad]) {
        return interleave(_mm512_loadu_si512(rows[0]), _mm512_loadu_si512(rows[1]),
                          _mm512_loadu_si512(rows[2]), _mm512_loadu_si512(rows[3]));
    }
    static Weights load_first(const std::int8_t* const (&rows)[quad], std::size_t count) {
        const __mmask64 mask = (std::uint64_t{1} << count) - 1;
        return interleave(_mm512_maskz_loadu_epi8(mask, rows[0]), _mm512_maskz_loadu_epi8(mask, rows[1]),
                          _mm512_maskz_loadu_epi8(mask, rows[2]), _mm512_maskz_loadu_epi8(mask, rows[3]));
    }
    static void add_products(std::uint32_t inputs, const Weights& weights, std::int32_t* sums) {
        const __m512i bytes = _mm512_set1_epi32(static_cast<int>(inputs));
        for (std::size_t k = 0; k < 4; ++k) {
            std::int32_t* place = sums + 16 * k;
            _mm512_storeu_si512(place,
                                _mm512_dpbusd_epi32(_mm512_loadu_si512(place), bytes, weights.registers[k]));
        }
    }
    static std::size_t place(std::size_t output) {
        return output % 16 / 4 * 16 + output / 16 * 4 + output % 4;
    }
};

}  // namespace

void dense_int8_sparse_input_avx512vnni(const DenseInt8SparseInput& problem, std::size_t begin,
                                        std::size_t end) {
    compute_sparse<Avx512Vnni>(problem, begin, end);
}

}  // namespace vgg19::kernels
