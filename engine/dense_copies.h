// Dense weights in large pages.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "engine/model/mapped_file.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19 {

/// A dense layer is bound by reading its weights, a fifth faster from large pages than from a mapped file,
/// which has small ones. So they are copied once, and the file's pages are released. For several threads.
class DenseCopies {
  public:
    using Copy = std::shared_ptr<const kernels::AlignedBuffer>;

    /// A copy of a part of the file, made by so many threads and shared by all that ask for it while one of
    /// them holds it. Nothing where the system has no large pages, or where the part does not fill one.
    Copy copy(const model::MappedFile& file, std::span<const std::byte> part, int threads);

  private:
    std::mutex mutex_;
    std::map<const std::byte*, std::weak_ptr<const kernels::AlignedBuffer>> copies_;
};

}  // namespace vgg19
