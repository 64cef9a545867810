// Memory for packed weights and activations.
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <utility>

namespace vgg19::kernels {

/// Zeroed bytes, aligned to a cache line. A buffer that has the size of a large page or more is aligned to
/// one, and the operating system is asked for large pages. Throws std::bad_alloc.
class AlignedBuffer {
  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t bytes);
    /// In memory of a caller's, which must outlive this object; null means as above. Throws CallersException
    /// (callers_function.h) for what the caller's function throws, and std::runtime_error if the memory is
    /// not aligned.
    AlignedBuffer(std::size_t bytes, std::pmr::memory_resource* workspace);
    /// A buffer that was moved from is empty.
    AlignedBuffer(AlignedBuffer&& other) noexcept
        : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
    AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
        data_ = std::move(other.data_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }
    AlignedBuffer(const AlignedBuffer&) = delete;
    AlignedBuffer& operator=(const AlignedBuffer&) = delete;
    ~AlignedBuffer() = default;

    std::byte* data() { return data_.get(); }
    const std::byte* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

    template <class T>
    T* as() {
        return reinterpret_cast<T*>(data_.get());
    }
    template <class T>
    const T* as() const {
        return reinterpret_cast<const T*>(data_.get());
    }

  private:
    struct Free {
        std::size_t bytes;
        std::pmr::memory_resource* workspace;
        void operator()(std::byte* data) const;
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace vgg19::kernels
