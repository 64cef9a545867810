// Where the pages of a file come from: what is stored, as it is or unpacked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "engine/model/file_state.h"

namespace vgg19::model {

/// Bytes that can be read again and again, from several threads at once.
class PageSource {
  public:
    /// Bytes [begin, end).
    struct Range {
        std::size_t begin;
        std::size_t end;
    };

    PageSource() = default;
    PageSource(const PageSource&) = delete;
    PageSource& operator=(const PageSource&) = delete;
    virtual ~PageSource() = default;

    /// How many bytes there are.
    virtual std::size_t size() const = 0;
    /// The smallest range around this one that read() reads. Where it reaches beyond `range`, it begins and
    /// ends at a page's beginning, or at size().
    virtual Range widened(Range range) const { return range; }
    /// Whether a part may take about as long to read as all of it, which should be read once then.
    virtual bool is_read_whole() const { return false; }
    /// Puts the bytes of a range, or of several that follow one another, into memory. Throws Error
    /// (bad_input) if they cannot be read, and std::bad_alloc.
    virtual void read(Range range, std::byte* to) const = 0;
    /// Throws Error (bad_input) if what was read may be wrong, because the file has changed.
    virtual void require_unchanged() const = 0;
};

/// `size` bytes of `file` from `offset` on, which the file must have.
class FileSource final : public PageSource {
  public:
    /// `path` is for messages.
    FileSource(Descriptor file, FileState state, std::uint64_t offset, std::size_t size,
               std::filesystem::path path)
        : file_(std::move(file)), state_(state), offset_(offset), size_(size), path_(std::move(path)) {}

    std::size_t size() const override { return size_; }
    void read(Range range, std::byte* to) const override;
    void require_unchanged() const override;

  private:
    const Descriptor file_;
    const FileState state_;
    const std::uint64_t offset_;
    const std::size_t size_;
    const std::filesystem::path path_;
};

}  // namespace vgg19::model
