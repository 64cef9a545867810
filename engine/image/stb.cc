#include "engine/image/stb.h"

#include <algorithm>
#include <string>

#include "engine/image/failure.h"
#include "engine/image/over_white.h"
#include "engine/image/stb_allocation.h"
#include "engine/image/stb_zlib.h"

#define STBI_MAX_DIMENSIONS (1 << 20)  // far above ImageLimits
#if !VGG19_HAS_JPEG
#define STBI_ONLY_JPEG
#endif
#define STBI_ONLY_PNG
#define STBI_ONLY_GIF
#define STBI_NO_ZLIB  // the zlib functions that PNG calls are defined below
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

#ifndef STBI_THREAD_LOCAL
#error "stb_image's failure reason must be kept by thread"
#endif

/// Declared by stb_image; its own version ignores the checksum.
static char* stbi_zlib_decode_malloc_guesssize_headerflag(const char* buffer, int length, int initial_size,
                                                          int* unpacked_length, int /*parse_header*/) {
    const vgg19::Bytes stream(reinterpret_cast<const std::uint8_t*>(buffer),
                              static_cast<std::size_t>(length));
    const vgg19::stb::Unpacked unpacked =
        vgg19::stb::unpack_zlib(stream, static_cast<std::size_t>(initial_size));
    if (unpacked.data == nullptr) stbi__g_failure_reason = unpacked.failure;
    *unpacked_length = static_cast<int>(unpacked.size);
    return unpacked.data;
}

namespace vgg19::stb {
namespace {

/// Feeds stb_image chunk by chunk, which shows when it reads beyond the end. Given the whole file at once it
/// continues with zeros, and a truncated JPEG turns grey.
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
        return source.offset_ == source.file_.size() ? 1 : 0;
    }

    Bytes file_;
    std::size_t offset_ = 0;
    bool passed_end_ = false;
};

/// stb_image tries every file as a PNG first, and some failures of other formats set no reason.
std::string failure_reason() {
    const char* given = stbi_failure_reason();
    const std::string reason = given == nullptr ? "" : given;
    return reason.empty() || reason == "bad png sig" ? "it is damaged, or holds no picture" : reason;
}

[[noreturn]] void fail(Bytes file, const Source& source, const std::string& reason) {
    if (source.passed_end()) fail_cut_short(file);
    if (wanted_more()) fail_image("it unpacks to more data than the size in its header asks for");
    fail_image(reason);
}

/// Enough for every single allocation: 16-bit RGBA twice (growing blocks are doubled), JPEG's coefficients
/// (rounded up to multiples of 32 pixels), the file's bytes twice, and the decoder's tables.
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
        // stb_image's reason would be that of the last format that it tried.
        fail(file, source, "its header is damaged or names a feature that is not supported");
    }
    return {static_cast<std::size_t>(width), static_cast<std::size_t>(height)};
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

/// One or two channels mean grey; with two or four, the last is alpha.
Image to_rgb(const Samples& samples) {
    const std::size_t pixels = samples.size.width * samples.size.height;
    const std::uint8_t* from = samples.data.get();
    if (samples.channels == 3) return {{from, from + pixels * 3}, samples.size.width, samples.size.height};

    Image image{std::vector<std::uint8_t>(pixels * 3), samples.size.width, samples.size.height};
    const bool has_alpha = samples.channels % 2 == 0;
    const std::size_t channel_step = samples.channels < 3 ? 0 : 1;
    std::uint8_t* to = image.rgb.data();
    for (std::size_t i = 0; i < pixels; ++i, from += samples.channels, to += 3) {
        const std::uint8_t alpha = has_alpha ? from[samples.channels - 1] : 255;
        for (std::size_t c = 0; c < 3; ++c) to[c] = over_white(from[c * channel_step], alpha);
    }
    return image;
}

}  // namespace vgg19::stb
