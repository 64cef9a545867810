#include "kernels/column_products/tiles.h"
#include "kernels/common/x86_avx2_vector.h"

namespace vgg19::kernels {

void column_products_avx2(const ColumnProducts& problem, std::size_t begin, std::size_t end) {
    ColumnProductTiles<Avx2, 4, 1>(problem).run(begin, end);
}

}  // namespace vgg19::kernels
