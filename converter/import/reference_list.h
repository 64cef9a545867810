// A compact list of numbers, for the containers of pickles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace vgg19::converter {

/// References in 16 bytes, of which up to two need no other memory: a pickle can hold millions of containers
/// of one item, each of one byte.
class ReferenceList {
  public:
    using Reference = std::uint32_t;

    ReferenceList() = default;
    ReferenceList(std::span<const Reference> references) { append(references); }
    ReferenceList(ReferenceList&& other) noexcept
        : size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, few)),
          place_(other.place_) {}
    ReferenceList& operator=(ReferenceList&& other) noexcept {
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(place_, other.place_);
        return *this;
    }
    ~ReferenceList() {
        if (capacity_ > few) delete[] place_.many;
    }

    std::span<const Reference> view() const { return {data(), size_}; }
    bool empty() const { return size_ == 0; }

    /// At most 2^32 - 1 in all.
    void append(std::span<const Reference> references) {
        const std::size_t needed = size_ + references.size();
        if (needed > capacity_) grow(size_ == 0 ? needed : std::max(needed, std::size_t{2} * capacity_));
        std::copy(references.begin(), references.end(), data() + size_);
        size_ = static_cast<std::uint32_t>(needed);
    }

  private:
    static constexpr std::uint32_t few = 2;
    union Place {
        Reference inside[few];
        Reference* many;
    };

    Reference* data() { return capacity_ > few ? place_.many : place_.inside; }
    const Reference* data() const { return capacity_ > few ? place_.many : place_.inside; }

    void grow(std::size_t capacity) {
        auto* const memory = new Reference[capacity];
        std::copy_n(data(), size_, memory);
        if (capacity_ > few) delete[] place_.many;
        place_.many = memory;
        capacity_ = static_cast<std::uint32_t>(capacity);
    }

    std::uint32_t size_ = 0;
    std::uint32_t capacity_ = few;
    Place place_{};
};

static_assert(sizeof(ReferenceList) == 16);

}  // namespace vgg19::converter
