#include <cstddef>
#include <cstdint>

#include "kernels/relu/bits.h"
#include "kernels/relu/relu.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

constexpr std::size_t lanes = Vector::width;

void rectify(float* values, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; i += lanes) {
        Vector::store(values + i, Vector::maximum(Vector::load(values + i), Vector::zero()));
    }
}

void positive_bits(const float* values, std::size_t begin, std::size_t end, std::uint8_t* positive) {
    for (std::size_t i = begin; i < end; i += lanes) {
        store_lane_bits<lanes>(positive, i, Vector::greater_lanes(Vector::load(values + i), Vector::zero()));
    }
}

void gradient_of(float* gradient, std::size_t begin, std::size_t end, const std::uint8_t* positive) {
    for (std::size_t i = begin; i < end; i += lanes) {
        Vector::store(gradient + i,
                      Vector::select_lanes(load_lane_bits<lanes>(positive, i), Vector::load(gradient + i)));
    }
}

}  // namespace

const ReluKernels relu = {.rectify = rectify, .positive = positive_bits, .gradient = gradient_of};

}  // namespace vgg19::kernels::VGG19_ISA
