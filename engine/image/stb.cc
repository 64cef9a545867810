#include "engine/image/stb.h"

#include <algorithm>
#include <new>
#include <string>

#include "engine/image/failure.h"
#include "engine/image/picture.h"
#include "engine/image/stb_allocation.h"

#define STBI_MAX_DIMENSIONS (1 << 20)  // far above ImageLimits
#define STBI_ONLY_JPEG
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

#ifndef STBI_THREAD_LOCAL
#error "stb_image's failure reason must be kept by thread"
#endif

namespace vgg19::stb {
namespace {

/// Feeds stb_image chunk by chunk, which shows when it reads beyond the end. Given the whole file at once it
/// continues with zeros, and a truncated JPEG turns grey. The same end stops it when the caller wants that.
class Source {
  public:
    Source(Bytes file, Progress& progress) : file_(file), progress_(progress) {}

    bool passed_end() const { return passed_end_; }
    static stbi_io_callbacks callbacks() { return {read, skip, at_end}; }

  private:
    static int read(void* user, char* data, int size) {
        Source& source = *static_cast<Source*>(user);
        // Each piece of 128 bytes may stand for many pixels.
        if (!source.progress_.goes_on(Progress::pixels_between_questions)) return 0;
        const auto wanted = static_cast<std::size_t>(size);
        const std::size_t count = std::min(wanted, source.file_.size() - source.offset_);
        std::copy_n(source.file_.begin() + static_cast<std::ptrdiff_t>(source.offset_), count, data);
        source.offset_ += count;
        // Each call fills the buffer as far as the file goes; a call at the end means that a byte beyond it
        // is needed.
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
        // stb_image looks for markers until here.
        return source.progress_.is_stopped() || source.offset_ == source.file_.size() ? 1 : 0;
    }

    Bytes file_;
    Progress& progress_;
    std::size_t offset_ = 0;
    bool passed_end_ = false;
};

[[noreturn]] void fail(Bytes file, const Source& source) {
    if (memory_was_short()) throw std::bad_alloc();
    if (source.passed_end()) fail_cut_short(file);
    const char* reason = stbi_failure_reason();
    fail_image(reason == nullptr || *reason == '\0' ? "it is damaged" : reason);
}

/// Enough for every single allocation: coefficients (rounded up to multiples of 32 pixels), the file's bytes
/// twice, and the decoder's tables.
std::size_t block_limit(Bytes file, const PixelSize& size) {
    constexpr std::size_t tables = std::size_t{1} << 20U;
    return 16 * (size.width + 32) * (size.height + 32) + 2 * file.size() + tables;
}

}  // namespace

Samples decode(Bytes file, const PixelSize& size, Progress& progress) {
    set_block_limit(block_limit(file, size));
    Source source(file, progress);
    const stbi_io_callbacks callbacks = Source::callbacks();
    int width = 0;
    int height = 0;
    int channels = 0;
    Samples samples;
    samples.data.reset(stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, 0));
    if (progress.is_stopped()) progress.stop();
    if (samples.data == nullptr || source.passed_end()) fail(file, source);
    samples.size = {static_cast<std::size_t>(width), static_cast<std::size_t>(height)};
    samples.channels = static_cast<std::size_t>(channels);
    return samples;
}

Image to_rgb(const Samples& samples) {
    const std::size_t pixels = pixels_of(samples.size);
    const std::uint8_t* from = samples.data.get();
    if (samples.channels == 3) return {{from, from + pixels * 3}, samples.size.width, samples.size.height};

    Image image{std::vector<std::uint8_t>(pixels * 3), samples.size.width, samples.size.height};
    for (std::size_t i = 0; i < pixels; ++i) std::fill_n(&image.rgb[3 * i], 3, from[i]);
    return image;
}

}  // namespace vgg19::stb
