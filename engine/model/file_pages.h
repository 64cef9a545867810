// A file's bytes in memory of this process, each page read when somebody needs it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/model/page_source.h"

namespace vgg19::model {

/// Pages that nobody uses take no memory, and may not be touched: that ends the program. What was read does
/// not change any more, whatever becomes of the file. Thread-safe.
class FilePages {
  public:
    /// Throws std::bad_alloc.
    explicit FilePages(std::unique_ptr<const PageSource> source);
    ~FilePages();
    FilePages(const FilePages&) = delete;
    FilePages& operator=(const FilePages&) = delete;

    std::span<const std::byte> bytes() const { return {begin_, length_}; }

    /// Reads the pages of a part of bytes() that are not there, and counts one more user for each. Throws
    /// what the source throws, and std::bad_alloc.
    void acquire(std::span<const std::byte> part);
    /// Counts one user less.
    void release(std::span<const std::byte> part) noexcept;

  private:
    enum class State : unsigned char { absent, loading, present };
    struct Page {
        std::uint32_t users = 0;
        State state = State::absent;
    };
    /// Pages [begin, end).
    struct Pages {
        std::size_t begin;
        std::size_t end;
    };

    Pages pages_of(std::span<const std::byte> part) const;
    std::byte* address(std::size_t page) const;
    bool is_loading(const Pages& pages) const;
    /// Takes the absent ones of `pages` for this thread to load.
    std::vector<Pages> claim(const Pages& pages);
    void load(const Pages& pages) const;
    /// Counts one user less, and drops the pages that have none.
    void leave(const Pages& pages) noexcept;

    const std::unique_ptr<const PageSource> source_;
    const std::size_t length_;
    std::span<std::byte> reserved_;  ///< addresses
    std::byte* begin_ = nullptr;     ///< in reserved_, at a large page's beginning

    std::mutex mutex_;  ///< protects all members below
    std::condition_variable loaded_;
    std::vector<Page> pages_;
};

}  // namespace vgg19::model
