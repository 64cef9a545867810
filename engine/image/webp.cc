#include "engine/image/webp.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <new>
#include <string>

#include "engine/image/exif.h"
#include "engine/image/failure.h"
#include "engine/image/over_white.h"
#include "engine/image/sizes.h"

namespace vgg19 {
namespace {

struct DeleteDemuxer {
    void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DeleteDemuxer>;

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
    Demuxer demuxer(WebPDemuxPartial(&data, &state));
    if (state == WEBP_DEMUX_DONE && demuxer != nullptr) return demuxer;
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

/// Decodes into `samples`: rows of 3 or 4 bytes per pixel, depending on `mode`, without padding.
void decode_frame(const Frame& frame, WEBP_CSP_MODE mode, const PixelSize& size,
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
    samples.resize(size.width * size.height * pixel_bytes);
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {samples.data(), static_cast<int>(size.width * pixel_bytes), samples.size()};
    const WebPData& data = frame.iterator.fragment;
    const VP8StatusCode status = WebPDecode(data.bytes, data.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status == VP8_STATUS_SUSPENDED || status == VP8_STATUS_NOT_ENOUGH_DATA) {
        fail_image("the data of its picture are cut short");
    }
    if (status != VP8_STATUS_OK) fail_image("the data of its picture are damaged");
}

/// libwebp's demuxer has checked that the frame lies inside the canvas.
Image on_white_canvas(const Frame& frame, const PixelSize& canvas) {
    std::vector<std::uint8_t> rgba;
    decode_frame(frame, MODE_RGBA, frame.size(), rgba);
    Image image{std::vector<std::uint8_t>(canvas.width * canvas.height * 3, 255), canvas.width,
                canvas.height};
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

Image decode_first_frame(const WebPDemuxer* demuxer, const PixelSize& canvas, const ImageOptions& options) {
    const Frame frame(demuxer);
    const PixelSize size = frame.size();
    const bool covers_canvas = size.width == canvas.width && size.height == canvas.height;
    if (frame.iterator.has_alpha != 0 || !covers_canvas) {
        check_size(canvas, options.limits, Reducible::no);
        return on_white_canvas(frame, canvas);
    }
    const std::size_t reduction = reduction_of(canvas, options);
    Image image;
    image.width = (canvas.width + reduction - 1) / reduction;
    image.height = (canvas.height + reduction - 1) / reduction;
    decode_frame(frame, MODE_RGB, {image.width, image.height}, image.rgb);
    return image;
}

}  // namespace

Image decode_webp(Bytes file, const ImageOptions& options) {
    const Demuxer demuxer = open(file);
    const PixelSize canvas{WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                           WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)};
    check_size(canvas, options.limits, Reducible::yes);
    Image image = decode_first_frame(demuxer.get(), canvas, options);
    return options.apply_exif ? oriented(std::move(image), exif_orientation_of(demuxer.get())) : image;
}

}  // namespace vgg19
