#include "kernels/simd/unrolled.h"
#include "kernels/simd/vector.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

class ColumnProductTiles {
  public:
    explicit ColumnProductTiles(const ColumnProducts& problem)
        : problem_(problem), panel_size_(problem.samples * panel_columns) {}

    /// The outer loop is over panels of right, so that a group of them stays in the L1 cache.
    void run(std::size_t begin, std::size_t end) const {
        for (std::size_t group = 0; group < problem_.right_panels; group += tile_panels) {
            const std::size_t first = problem_.lower ? (begin > group ? begin : group) : begin;
            for (std::size_t panel = first; panel < end; ++panel) add_panel(panel, group);
        }
    }

  private:
    /// 8 × 3 sums, 3 values and a broadcast one fill 28 of 32 registers; 4 × 2 × 1 fill 11 of 16.
    static constexpr bool many_registers = Vector::registers >= 32;
    static constexpr std::size_t tile_rows = many_registers ? 8 : 4;
    static constexpr std::size_t tile_panels = many_registers ? 3 : 1;
    static_assert(panel_columns % tile_rows == 0 && panel_columns % Vector::width == 0);
    static constexpr std::size_t panel_vectors = panel_columns / Vector::width;

    void add_panel(std::size_t panel, std::size_t group) const {
        const std::size_t right_end =
            problem_.lower && panel + 1 < problem_.right_panels ? panel + 1 : problem_.right_panels;
        for (std::size_t row = 0; row < panel_columns; row += tile_rows) {
            if (group + tile_panels <= right_end) {
                add_tile<tile_panels>(panel, row, group);
                continue;
            }
            for (std::size_t right = group; right < right_end; ++right) add_tile<1>(panel, row, right);
        }
    }

    template <std::size_t panels>
    inline __attribute__((always_inline)) void add_tile(std::size_t panel, std::size_t row,
                                                        std::size_t right_panel) const {
        constexpr std::size_t vectors = panels * panel_vectors;
        Vector::Register sums[tile_rows][vectors];
        unrolled<tile_rows>([&](auto r) __attribute__((always_inline)) {
            unrolled<vectors>([&](auto v) __attribute__((always_inline)) { sums[r][v] = Vector::zero(); });
        });
        const float* left = problem_.left + panel * panel_size_ + row;
        const float* right = problem_.right + right_panel * panel_size_;
        for (std::size_t sample = 0; sample < problem_.samples; ++sample) {
            Vector::Register values[vectors];
            unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
                values[v] =
                    Vector::load(right + v / panel_vectors * panel_size_ + v % panel_vectors * Vector::width);
            });
            unrolled<tile_rows>([&](auto r) __attribute__((always_inline)) {
                const auto value = Vector::broadcast(left[r]);
                unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
                    sums[r][v] = Vector::multiply_add(value, values[v], sums[r][v]);
                });
            });
            left += panel_columns;
            right += panel_columns;
        }
        double* row_sums =
            problem_.sums + (panel * panel_columns + row) * problem_.stride + right_panel * panel_columns;
        unrolled<tile_rows>([&](auto r) __attribute__((always_inline)) {
            float products[panels * panel_columns];
            unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
                Vector::store(products + v * Vector::width, sums[r][v]);
            });
            for (std::size_t i = 0; i < panels * panel_columns; ++i) {
                row_sums[r * problem_.stride + i] += static_cast<double>(products[i]);
            }
        });
    }

    const ColumnProducts& problem_;
    std::size_t panel_size_;
};

}  // namespace

void column_products(const ColumnProducts& problem, std::size_t begin, std::size_t end) {
    ColumnProductTiles(problem).run(begin, end);
}

}  // namespace vgg19::kernels::VGG19_ISA
