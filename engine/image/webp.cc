#include "engine/image/webp.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "engine/image/exif.h"
#include "engine/image/failure.h"
#include "engine/image/over_white.h"
#include "engine/image/sizes.h"

namespace vgg19 {
namespace {

using Demuxer = std::shared_ptr<WebPDemuxer>;

struct Frame {
    WebPIterator iterator{};

    explicit Frame(const WebPDemuxer* demuxer) {
        if (WebPDemuxGetFrame(demuxer, 1, &iterator) == 0) fail_image("it holds no picture");
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() { WebPDemuxReleaseIterator(&iterator); }

    PixelSize size() const {
        return {static_cast<std::size_t>(iterator.width), static_cast<std::size_t>(iterator.height)};
    }
};

Demuxer open(Bytes file) {
    const WebPData data{file.data(), file.size()};
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    errno = 0;
    Demuxer demuxer(WebPDemuxPartial(&data, &state), WebPDemuxDelete);
    if (state == WEBP_DEMUX_DONE && demuxer != nullptr) return demuxer;
    if (errno == ENOMEM) throw std::bad_alloc();  // which libwebp does not distinguish from damage
    if (state == WEBP_DEMUX_PARSE_ERROR) fail_image("its chunks are damaged");
    fail_cut_short(file);
}

struct Metadata {
    WebPChunkIterator iterator{};

    Metadata(const WebPDemuxer* demuxer, const char* type) {
        found_ = WebPDemuxGetChunk(demuxer, type, 1, &iterator) != 0;
    }
    Metadata(const Metadata&) = delete;
    Metadata& operator=(const Metadata&) = delete;
    ~Metadata() { WebPDemuxReleaseChunkIterator(&iterator); }

    Bytes bytes() const { return found_ ? Bytes{iterator.chunk.bytes, iterator.chunk.size} : Bytes(); }

  private:
    bool found_ = false;
};

int exif_orientation_of(const WebPDemuxer* demuxer) {
    const Metadata exif(demuxer, "EXIF");
    const Metadata xmp(demuxer, "XMP ");
    return exif_orientation(exif.bytes(), xmp.bytes());
}

/// libwebp (1.2.4 with the patch for its Huffman tables, and up to 1.3.2) follows a wild pointer if it gets
/// no memory for the tables of a lossless picture. So all that it may need is asked for, and given back,
/// before it begins.
void check_memory(std::size_t bytes) {
    void* volatile block = std::malloc(bytes);  // volatile: not to be optimised away
    if (block == nullptr) throw std::bad_alloc();
    std::free(block);
}

/// What the header of a frame's data says.
WebPBitstreamFeatures features_of(const Frame& frame) {
    const WebPData& data = frame.iterator.fragment;
    WebPBitstreamFeatures features;
    const VP8StatusCode status = WebPGetFeatures(data.bytes, data.size, &features);
    if (status == VP8_STATUS_NOT_ENOUGH_DATA) fail_image("the data of its picture are cut short");
    if (status != VP8_STATUS_OK) fail_image("the data of its picture are damaged");
    return features;
}

bool is_lossless(const WebPBitstreamFeatures& features) {
    return features.format == 2;
}

/// A decoder of libwebp that gets the data piece by piece, so that it can be stopped between them.
class PieceDecoder {
  public:
    PieceDecoder(WebPDecoderConfig& config, const WebPData& data)
        : data_(data), decoder_(WebPIDecode(nullptr, 0, &config), WebPIDelete) {
        if (decoder_ == nullptr) throw std::bad_alloc();
    }

    VP8StatusCode decode(const WebPBitstreamFeatures& features, Progress& progress) {
        // A lossless picture begins with tables, which libwebp reads again with each piece until they are
        // whole.
        const std::size_t pieces = is_lossless(features) ? 8 : 64;
        const std::size_t first = is_lossless(features) ? pieces / 2 : 1;
        const auto pixels =
            static_cast<std::size_t>(features.width) * static_cast<std::size_t>(features.height);
        VP8StatusCode status = VP8_STATUS_SUSPENDED;
        for (std::size_t piece = first; piece <= pieces && status == VP8_STATUS_SUSPENDED; ++piece) {
            progress.advance(pixels / pieces);
            const std::size_t size = piece == pieces ? data_.size : data_.size / pieces * piece;
            errno = 0;
            status = WebPIUpdate(decoder_.get(), data_.bytes, size);
            // libwebp reports some shortages as damage, or asks for more data and fails when it gets them.
            if (status != VP8_STATUS_OK && errno == ENOMEM) throw std::bad_alloc();
        }
        return status;
    }

  private:
    const WebPData& data_;
    std::unique_ptr<WebPIDecoder, decltype(&WebPIDelete)> decoder_;
};

/// Decodes into `samples`: rows of 3 or 4 bytes per pixel, depending on `mode`, without padding.
void decode_frame(const Frame& frame, WEBP_CSP_MODE mode, const PixelSize& size, Progress& progress,
                  std::vector<std::uint8_t>& samples) {
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) {
        throw Error(ErrorKind::failed, "libwebp is of another version than its headers");
    }
    const PixelSize stored = frame.size();
    if (size.width != stored.width || size.height != stored.height) {
        config.options.use_scaling = 1;
        config.options.scaled_width = static_cast<int>(size.width);
        config.options.scaled_height = static_cast<int>(size.height);
    }
    const std::size_t pixel_bytes = mode == MODE_RGB ? 3 : 4;
    samples.resize(pixels_of(size) * pixel_bytes);
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {samples.data(), static_cast<int>(size.width * pixel_bytes), samples.size()};
    const WebPBitstreamFeatures features = features_of(frame);
    const VP8StatusCode status = PieceDecoder(config, frame.iterator.fragment).decode(features, progress);
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status == VP8_STATUS_SUSPENDED || status == VP8_STATUS_NOT_ENOUGH_DATA) {
        fail_image("the data of its picture are cut short");
    }
    if (status != VP8_STATUS_OK) fail_image("the data of its picture are damaged");
}

/// libwebp's demuxer has checked that the frame lies inside the canvas.
Image on_white_canvas(const Frame& frame, const PixelSize& canvas, Progress& progress) {
    std::vector<std::uint8_t> rgba;
    decode_frame(frame, MODE_RGBA, frame.size(), progress, rgba);
    Image image{std::vector<std::uint8_t>(pixels_of(canvas) * 3, 255), canvas.width, canvas.height};
    const auto left = static_cast<std::size_t>(frame.iterator.x_offset);
    const auto top = static_cast<std::size_t>(frame.iterator.y_offset);
    const PixelSize size = frame.size();
    const std::uint8_t* from = rgba.data();
    for (std::size_t y = 0; y < size.height; ++y) {
        std::uint8_t* to = &image.rgb[((top + y) * canvas.width + left) * 3];
        for (std::size_t x = 0; x < size.width; ++x, from += 4, to += 3) {
            for (std::size_t c = 0; c < 3; ++c) to[c] = over_white(from[c], from[3]);
        }
    }
    return image;
}

/// A lossless picture (a plane of alpha is one) may have a set of Huffman tables for each 16 pixels, each of
/// which takes 20 bits of the file at least, but never more than 2^16 sets.
std::size_t most_table_sets(const Frame& frame) {
    constexpr std::size_t ever = std::size_t{1} << 16U;
    constexpr std::size_t least_bits = 20;
    if (frame.iterator.has_alpha == 0 && !is_lossless(features_of(frame))) return 0;
    return std::min(
        {ever, pixels_of(frame.size()) / 16 + 1, frame.iterator.fragment.size * 8 / least_bits + 1});
}

/// The most that libwebp needs beside the samples that it returns.
std::size_t decoder_bytes(const Frame& frame) {
    constexpr std::size_t set_bytes = 6200;
    constexpr std::size_t bytes_a_pixel = 5;
    const std::size_t sets = most_table_sets(frame);
    const std::size_t rows = 200 * frame.size().width + (std::size_t{256} << 10U);
    return sets == 0 ? rows : rows + bytes_a_pixel * pixels_of(frame.size()) + sets * set_bytes;
}

bool needs_canvas(const Frame& frame, const PixelSize& canvas) {
    const PixelSize size = frame.size();
    return frame.iterator.has_alpha != 0 || size.width != canvas.width || size.height != canvas.height;
}

Image decode_whole(const Frame& frame, const PixelSize& size, Progress& progress) {
    Image image{{}, size.width, size.height};
    decode_frame(frame, MODE_RGB, size, progress, image.rgb);
    return image;
}

}  // namespace

Picture open_webp(Bytes file, const ImageOptions& options) {
    const Demuxer demuxer = open(file);
    const PixelSize canvas{WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                           WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)};
    const auto frame = std::make_shared<const Frame>(demuxer.get());
    Picture picture;
    picture.orientation = exif_orientation_of(demuxer.get());
    constexpr std::size_t work_of_tables = 2000;
    picture.work = pixels_of(frame->size()) + file.size() + work_of_tables * most_table_sets(*frame);
    if (needs_canvas(*frame, canvas)) {
        check_size(canvas, options.limits, Reducible::no);
        picture.size = canvas;
        picture.memory_bytes = decoder_bytes(*frame) + 4 * pixels_of(frame->size()) + 3 * pixels_of(canvas);
        picture.decode = [demuxer, frame, canvas, bytes = picture.memory_bytes](Progress& progress) {
            check_memory(bytes);
            return on_white_canvas(*frame, canvas, progress);
        };
        return picture;
    }
    check_size(canvas, options.limits, Reducible::yes);
    const std::size_t reduction = reduction_of(canvas, options);
    picture.size = {(canvas.width + reduction - 1) / reduction, (canvas.height + reduction - 1) / reduction};
    picture.memory_bytes = decoder_bytes(*frame) + 3 * pixels_of(picture.size);
    picture.decode = [demuxer, frame, size = picture.size, bytes = picture.memory_bytes](Progress& progress) {
        check_memory(bytes);
        return decode_whole(*frame, size, progress);
    };
    return picture;
}

}  // namespace vgg19
