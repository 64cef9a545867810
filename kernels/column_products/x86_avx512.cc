#include "kernels/column_products/tiles.h"
#include "kernels/common/x86_avx512_vector.h"

namespace vgg19::kernels {

void column_products_avx512(const ColumnProducts& problem, std::size_t begin, std::size_t end) {
    ColumnProductTiles<Avx512, 8, 3>(problem).run(begin, end);
}

}  // namespace vgg19::kernels
