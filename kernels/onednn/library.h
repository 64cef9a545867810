// Shared by the sources of this folder. The only header that includes oneDNN's headers (2.6 and 3.x).
#pragma once

#include <cstddef>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>

namespace vgg19::kernels::onednn {

/// oneDNN ends the program where it gets no memory. So this is called before it makes something: throws
/// std::bad_alloc unless there is far more memory than that takes.
inline void require_memory() {
    constexpr std::size_t plenty = std::size_t{32} << 20U;
    ::operator delete(::operator new(plenty));
}

/// Where it did notice.
inline void rethrow_shortage(const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
}

inline const dnnl::engine& cpu() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

inline dnnl::memory::dim dimension(std::size_t size) {
    return static_cast<dnnl::memory::dim>(size);
}

inline dnnl::memory::desc fp32(const dnnl::memory::dims& dimensions, dnnl::memory::format_tag format) {
    return {dimensions, dnnl::memory::data_type::f32, format};
}

/// The blocked layout of activations (kernels/common/blocked_layout.h).
inline dnnl::memory::format_tag blocked_format(std::size_t block) {
    return block == 16 ? dnnl::memory::format_tag::nChw16c : dnnl::memory::format_tag::nChw8c;
}

/// For oneDNN, whose functions take a pointer to mutable memory even where they only read.
inline void* writable(const void* data) {
    return const_cast<void*>(data);
}

}  // namespace vgg19::kernels::onednn
