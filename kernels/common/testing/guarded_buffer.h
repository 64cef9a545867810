// For tests: an array that ends at an inaccessible page.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <span>

namespace vgg19::kernels::testing {

/// `count` zeroed elements directly before an inaccessible page, so that a read or write past the end faults.
/// The start is only aligned for T.
template <class T>
class GuardedBuffer {
  public:
    explicit GuardedBuffer(std::size_t count) : count_(count) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t usable = (count * sizeof(T) + page - 1) / page * page;
        mapped_bytes_ = usable + page;
        mapping_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping_ == MAP_FAILED) throw std::bad_alloc();
        std::byte* guard = static_cast<std::byte*>(mapping_) + usable;
        if (mprotect(guard, page, PROT_NONE) != 0) {
            munmap(mapping_, mapped_bytes_);
            throw std::bad_alloc();
        }
        data_ = reinterpret_cast<T*>(guard - count * sizeof(T));
    }
    ~GuardedBuffer() { munmap(mapping_, mapped_bytes_); }
    GuardedBuffer(const GuardedBuffer&) = delete;
    GuardedBuffer& operator=(const GuardedBuffer&) = delete;

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return count_; }
    T& operator[](std::size_t index) { return data_[index]; }
    const T& operator[](std::size_t index) const { return data_[index]; }
    T* begin() { return data_; }
    T* end() { return data_ + count_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + count_; }

  private:
    void* mapping_ = nullptr;
    std::size_t mapped_bytes_ = 0;
    T* data_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace vgg19::kernels::testing
