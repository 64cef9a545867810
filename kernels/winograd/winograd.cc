#include "kernels/winograd/winograd.h"

#include <cmath>

#include "kernels/winograd/steps.h"

namespace vgg19::kernels {

namespace {

/// Eight floats without vector instructions.
struct Scalar {
    struct Register {
        std::array<float, 8> lanes;
    };
    static constexpr std::size_t width = 8;
    static constexpr std::size_t rows = 1;

    template <class Operation>
    static Register each(Operation&& operation) {
        Register result{};
        for (std::size_t lane = 0; lane < width; ++lane) result.lanes[lane] = operation(lane);
        return result;
    }
    static Register zero() { return broadcast(0); }
    static Register broadcast(float value) {
        return each([&](std::size_t) { return value; });
    }
    static Register load(const float* from) {
        return each([&](std::size_t lane) { return from[lane]; });
    }
    static void store(float* to, const Register& value) { std::copy_n(value.lanes.data(), width, to); }
    static Register add(const Register& a, const Register& b) {
        return each([&](std::size_t lane) { return a.lanes[lane] + b.lanes[lane]; });
    }
    static Register subtract(const Register& a, const Register& b) {
        return each([&](std::size_t lane) { return a.lanes[lane] - b.lanes[lane]; });
    }
    static Register multiply(const Register& a, const Register& b) {
        return each([&](std::size_t lane) { return a.lanes[lane] * b.lanes[lane]; });
    }
    static Register multiply_add(const Register& a, const Register& b, const Register& c) {
        return each([&](std::size_t lane) { return a.lanes[lane] * b.lanes[lane] + c.lanes[lane]; });
    }
    static Register maximum(const Register& a, const Register& b) {
        return each([&](std::size_t lane) { return std::max(a.lanes[lane], b.lanes[lane]); });
    }
};

constexpr Kernel<const WinogradSteps> kernel_list[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, &(name)},
#include "kernels/winograd/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

const WinogradSteps winograd_scalar = {WinogradKernel<Scalar>::transform_input,
                                       WinogradKernel<Scalar>::multiply,
                                       WinogradKernel<Scalar>::pack_weights};

std::span<const Kernel<const WinogradSteps>> winograd_kernels() {
    return kernel_list;
}

}  // namespace vgg19::kernels
