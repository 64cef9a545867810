#include "converter/cosine.h"

#include <cmath>
#include <cstddef>

namespace vgg19::converter {

double cosine_of(std::span<const float> x, std::span<const float> y) {
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto a = static_cast<double>(x[i]);
        const auto b = static_cast<double>(y[i]);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    if (xx == 0 || yy == 0) return xx == yy ? 1 : 0;
    return xy / std::sqrt(xx * yy);  // exactly 1 of a vector with itself
}

}  // namespace vgg19::converter
