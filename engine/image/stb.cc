#include "engine/image/stb.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "vgg19/error.h"

namespace {

/// The largest block that stb_image may have in this thread: the data that a PNG unpacks to may be a thousand
/// times the file, whatever size its header names.
thread_local std::size_t largest_block = 0;
thread_local bool wanted_more = false;

bool may_have(std::size_t bytes) {
    wanted_more = wanted_more || bytes > largest_block;
    return bytes <= largest_block;
}

/// Zeros: stb_image reads tables that a damaged file uses and does not define, and would decode with, walk
/// through, or show in the picture what was in the memory before.
void* allocate(std::size_t bytes) {
    return may_have(bytes) ? std::calloc(1, bytes) : nullptr;
}

void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes) {
    if (!may_have(bytes)) return nullptr;
    void* larger = std::realloc(block, bytes);
    if (larger != nullptr && bytes > old_bytes) {
        std::memset(static_cast<char*>(larger) + old_bytes, 0, bytes - old_bytes);
    }
    return larger;
}

}  // namespace

#define STBI_MALLOC(bytes) allocate(bytes)
#define STBI_REALLOC_SIZED(block, old_bytes, bytes) reallocate(block, old_bytes, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ASSERT(condition) static_cast<void>(0)  // a library does not abort
#define STBI_MAX_DIMENSIONS (1 << 20)                // far above ImageLimits
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

#ifndef STBI_THREAD_LOCAL
#error "stb_image's failure reason must be kept by thread"
#endif

namespace vgg19::stb {
namespace {

/// Gives stb_image a file in memory piece by piece, because that shows when it wants more than there is;
/// given the file as a whole it goes on with zeros, and a cut JPEG turns out grey.
class Source {
  public:
    explicit Source(Bytes file) : file_(file) {}

    bool passed_end() const { return passed_end_; }
    static stbi_io_callbacks callbacks() { return {read, skip, at_end}; }

  private:
    static int read(void* user, char* data, int size) {
        Source& source = *static_cast<Source*>(user);
        const auto wanted = static_cast<std::size_t>(size);
        const std::size_t count = std::min(wanted, source.file_.size() - source.offset_);
        std::copy_n(source.file_.begin() + static_cast<std::ptrdiff_t>(source.offset_), count, data);
        source.offset_ += count;
        // Calls fill a buffer as far as the file goes; there is one more only when that byte is wanted.
        source.passed_end_ = source.passed_end_ || count == 0;
        return static_cast<int>(count);
    }

    static void skip(void* user, int size) {
        Source& source = *static_cast<Source*>(user);
        const std::size_t left = source.file_.size() - source.offset_;
        source.offset_ += std::min(static_cast<std::size_t>(std::max(size, 0)), left);
    }

    static int at_end(void* user) {
        const Source& source = *static_cast<Source*>(user);
        return source.offset_ == source.file_.size() ? 1 : 0;
    }

    Bytes file_;
    std::size_t offset_ = 0;
    bool passed_end_ = false;
};

/// Every file is tried as a PNG first, and some failures of other formats give no reason of their own.
std::string failure_reason() {
    const char* given = stbi_failure_reason();
    const std::string reason = given == nullptr ? "" : given;
    return reason.empty() || reason == "bad png sig" ? "it is damaged, or holds no picture" : reason;
}

[[noreturn]] void fail(Bytes file, const Source& source, std::string reason) {
    if (wanted_more) reason = "it unpacks to more data than the size in its header asks for";
    if (source.passed_end()) {
        reason = "it is cut short: the picture goes on where the file ends, after " +
                 std::to_string(file.size()) + " bytes";
    }
    throw Error(ErrorKind::bad_input, reason);
}

void set_block_limit(std::size_t bytes) {
    largest_block = bytes;
    wanted_more = false;
}

/// Covers every single block: 16-bit RGBA twice over (blocks that grow are doubled), JPEG's coefficients
/// (rounded up to units of 32 pixels), the file's own bytes twice over, and the decoder's tables.
std::size_t block_limit(Bytes file, const PixelSize& size) {
    constexpr std::size_t tables = std::size_t{1} << 20U;
    return 16 * (size.width + 32) * (size.height + 32) + 2 * file.size() + tables;
}

}  // namespace

PixelSize read_size(Bytes file) {
    set_block_limit(block_limit({}, {}));
    Source source(file);
    const stbi_io_callbacks callbacks = Source::callbacks();
    int width = 0;
    int height = 0;
    int channels = 0;
    if (stbi_info_from_callbacks(&callbacks, &source, &width, &height, &channels) == 0) {
        // stb_image's own reason is that of the last format that it tried.
        fail(file, source, "its header is damaged or names a feature that is not supported");
    }
    // A BMP whose rows run from the top has a negative height.
    const std::int64_t rows = height < 0 ? -std::int64_t{height} : std::int64_t{height};
    return {static_cast<std::uint32_t>(width), static_cast<std::size_t>(rows)};
}

Samples decode(Bytes file, const PixelSize& size) {
    set_block_limit(block_limit(file, size));
    Source source(file);
    const stbi_io_callbacks callbacks = Source::callbacks();
    int width = 0;
    int height = 0;
    int channels = 0;
    Samples samples;
    samples.data.reset(stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, 0));
    if (samples.data == nullptr || source.passed_end()) {
        fail(file, source, failure_reason());
    }
    samples.size = {static_cast<std::size_t>(width), static_cast<std::size_t>(height)};
    samples.channels = static_cast<std::size_t>(channels);
    return samples;
}

}  // namespace vgg19::stb
