// The order of bytes after Vector::load_interleaved(), on every ISA.
#pragma once

#include <cstddef>

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The 32-bit lane, counted through the four registers of `width` lanes, that holds byte i of the rows.
template <std::size_t width>
constexpr std::size_t interleaved_place(std::size_t i) {
    return i % 16 / 4 * width + i / 16 * 4 + i % 4;
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
