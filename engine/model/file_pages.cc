#include "engine/model/file_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <new>
#include <utility>

namespace vgg19::model {

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20U;

std::size_t page_bytes() {
    static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

void protect(std::byte* address, std::size_t bytes, int protection) {
    if (mprotect(address, bytes, protection) != 0) throw std::bad_alloc();
}

/// Weights that are read in each run should not need an entry of the TLB for each 4 KB.
void ask_for_large_pages(std::byte* address, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    const std::uintptr_t first = (begin + large_page - 1) / large_page * large_page;
    const std::uintptr_t last = (begin + bytes) / large_page * large_page;
    if (first >= last) return;
    static_cast<void>(madvise(address + (first - begin), last - first, MADV_HUGEPAGE));  // only advice
}

}  // namespace

FilePages::FilePages(std::unique_ptr<const PageSource> source)
    : source_(std::move(source)),
      length_(source_->size()),
      pages_((length_ + page_bytes() - 1) / page_bytes()) {
    if (length_ > std::numeric_limits<std::size_t>::max() - 2 * large_page) throw std::bad_alloc();
    const std::size_t bytes = pages_.size() * page_bytes() + large_page;
    void* const reserved =
        mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) throw std::bad_alloc();
    reserved_ = {static_cast<std::byte*>(reserved), bytes};
    const auto start = reinterpret_cast<std::uintptr_t>(reserved);
    begin_ = reserved_.data() + ((large_page - start % large_page) % large_page);
}

FilePages::~FilePages() {
    munmap(reserved_.data(), reserved_.size());
}

void FilePages::acquire(std::span<const std::byte> part) {
    const Pages pages = pages_of(part);
    std::vector<Pages> claimed;
    {
        std::unique_lock lock(mutex_);
        loaded_.wait(lock, [&] { return !is_loading(pages); });
        claimed = claim(pages);
        for (std::size_t page = pages.begin; page < pages.end; ++page) ++pages_[page].users;
    }
    std::exception_ptr failure;
    try {
        for (const Pages& run : claimed) load(run);
        if (!claimed.empty()) source_->require_unchanged();
    } catch (...) {
        failure = std::current_exception();
    }
    {
        const std::lock_guard lock(mutex_);
        for (const Pages& run : claimed) {
            for (std::size_t page = run.begin; page < run.end; ++page) pages_[page].state = State::present;
        }
        if (failure) leave(pages);
    }
    loaded_.notify_all();
    if (failure) std::rethrow_exception(failure);
}

void FilePages::release(std::span<const std::byte> part) noexcept {
    const Pages pages = pages_of(part);
    const std::lock_guard lock(mutex_);
    leave(pages);
}

FilePages::Pages FilePages::pages_of(std::span<const std::byte> part) const {
    if (part.empty()) return {0, 0};
    const auto begin = static_cast<std::size_t>(part.data() - begin_);
    const PageSource::Range range = source_->widened({begin, begin + part.size()});
    return {range.begin / page_bytes(), (range.end + page_bytes() - 1) / page_bytes()};
}

std::byte* FilePages::address(std::size_t page) const {
    return begin_ + page * page_bytes();
}

bool FilePages::is_loading(const Pages& pages) const {
    for (std::size_t page = pages.begin; page < pages.end; ++page) {
        if (pages_[page].state == State::loading) return true;
    }
    return false;
}

std::vector<FilePages::Pages> FilePages::claim(const Pages& pages) {
    std::vector<Pages> claimed;
    for (std::size_t page = pages.begin; page < pages.end; ++page) {
        if (pages_[page].state != State::absent) continue;
        if (claimed.empty() || claimed.back().end != page) claimed.push_back({page, page});
        claimed.back().end = page + 1;
    }
    for (const Pages& run : claimed) {
        for (std::size_t page = run.begin; page < run.end; ++page) pages_[page].state = State::loading;
    }
    return claimed;
}

void FilePages::load(const Pages& pages) const {
    const std::size_t bytes = (pages.end - pages.begin) * page_bytes();
    protect(address(pages.begin), bytes, PROT_READ | PROT_WRITE);
    ask_for_large_pages(address(pages.begin), bytes);
    source_->read({pages.begin * page_bytes(), std::min(pages.end * page_bytes(), length_)},
                  address(pages.begin));
    protect(address(pages.begin), bytes, PROT_READ);
}

void FilePages::leave(const Pages& pages) noexcept {
    for (std::size_t page = pages.begin; page < pages.end; ++page) --pages_[page].users;
    const auto is_unused = [&](std::size_t page) {
        return pages_[page].users == 0 && pages_[page].state == State::present;
    };
    for (std::size_t first = pages.begin; first < pages.end; ++first) {
        if (!is_unused(first)) continue;
        std::size_t last = first;
        for (; last < pages.end && is_unused(last); ++last) pages_[last].state = State::absent;
        const std::size_t bytes = (last - first) * page_bytes();
        madvise(address(first), bytes, MADV_DONTNEED);
        mprotect(address(first), bytes, PROT_NONE);
        first = last;
    }
}

}  // namespace vgg19::model
