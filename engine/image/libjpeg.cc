#include "engine/image/libjpeg.h"

#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <cstdio>  // for jpeglib.h
#include <new>
#include <string>
// Must come after jpeglib.h, which it does not include itself.
#include <jerror.h>

#include "engine/image/failure.h"

namespace vgg19::libjpeg {
namespace {

/// libjpeg reports errors by longjmp, which runs no destructors: no object that has one may live inside
/// setjmp.
struct Decoder {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    jpeg_source_mgr source{};
    jpeg_progress_mgr monitor{};
    Progress* progress = nullptr;
    std::jmp_buf failed{};
    bool passed_end = false;
};

Decoder& decoder_of(jpeg_common_struct* info) {
    return *static_cast<Decoder*>(info->client_data);
}

Decoder& decoder_of(jpeg_decompress_struct* info) {
    return *static_cast<Decoder*>(info->client_data);
}

[[noreturn]] void on_error(j_common_ptr info) {
    std::longjmp(decoder_of(info).failed, 1);  // NOLINT(cert-err52-cpp): out of C code nothing else leads
}

bool is_damage(const Decoder& decoder) {
    switch (decoder.errors.msg_code) {
        case JWRN_HUFF_BAD_CODE:
        case JWRN_ARITH_BAD_CODE:
            return true;
        case JWRN_HIT_MARKER:
            return decoder.passed_end || decoder.info.input_iMCU_row + 1 < decoder.info.total_iMCU_rows;
        default:
            return false;
    }
}

void on_message(j_common_ptr info, int level) {
    constexpr int warning = -1;
    if (level == warning && is_damage(decoder_of(info))) on_error(info);
}

/// libjpeg calls it for each row of blocks of each scan, and for each row of pixels.
void on_progress(j_common_ptr info) {
    Decoder& decoder = decoder_of(info);
    if (!decoder.progress->goes_on(decoder.info.image_width)) on_error(info);
}

void print_nothing(j_common_ptr /*info*/) {}

void do_nothing(j_decompress_ptr /*info*/) {}

/// The whole file is in memory, so that this means its end: supply an end marker.
boolean on_end(j_decompress_ptr info) {
    static constexpr std::array<JOCTET, 2> end_marker = {0xFF, JPEG_EOI};
    decoder_of(info).passed_end = true;
    info->src->next_input_byte = end_marker.data();
    info->src->bytes_in_buffer = end_marker.size();
    return TRUE;
}

void skip_bytes(j_decompress_ptr info, long count) {
    if (count <= 0) return;
    const auto bytes = static_cast<std::size_t>(count);
    if (bytes > info->src->bytes_in_buffer) {
        on_end(info);
        return;
    }
    info->src->next_input_byte += bytes;
    info->src->bytes_in_buffer -= bytes;
}

/// Some cameras give all restart markers the same number: take each as the start of the next interval.
boolean on_restart_out_of_turn(j_decompress_ptr info, int expected) {
    const bool is_restart = info->unread_marker >= JPEG_RST0 && info->unread_marker <= JPEG_RST0 + 7;
    if (!is_restart) return jpeg_resync_to_restart(info, expected);
    info->unread_marker = 0;
    return TRUE;
}

void set_callbacks(Decoder& decoder, Bytes file, Progress& progress) {
    jpeg_std_error(&decoder.errors);
    decoder.errors.error_exit = on_error;
    decoder.errors.emit_message = on_message;
    decoder.errors.output_message = print_nothing;
    decoder.source.init_source = do_nothing;
    decoder.source.fill_input_buffer = on_end;
    decoder.source.skip_input_data = skip_bytes;
    decoder.source.resync_to_restart = on_restart_out_of_turn;
    decoder.source.term_source = do_nothing;
    decoder.source.next_input_byte = file.data();
    decoder.source.bytes_in_buffer = file.size();
    decoder.monitor.progress_monitor = on_progress;
    decoder.progress = &progress;
    decoder.info.err = &decoder.errors;
    decoder.info.client_data = &decoder;
}

bool read_header(Decoder& decoder, unsigned reduction) {
    if (setjmp(decoder.failed) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_create_decompress(&decoder.info);
    decoder.info.src = &decoder.source;
    decoder.info.progress = &decoder.monitor;
    jpeg_read_header(&decoder.info, TRUE);
    decoder.info.out_color_space = decoder.info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    decoder.info.scale_num = 1;
    decoder.info.scale_denom = reduction;
    jpeg_calc_output_dimensions(&decoder.info);
    return true;
}

/// a · b / 255, rounded.
unsigned scaled(unsigned a, unsigned b) {
    const unsigned product = a * b + 128;
    return ((product >> 8U) + product) >> 8U;
}

/// Adobe stores inks inverted: 255 is none, 0 is full. Rounded as in Pillow.
void cmyk_to_rgb(const JSAMPLE* from, std::size_t pixels, JSAMPLE* to) {
    for (std::size_t i = 0; i < pixels; ++i, from += 4, to += 3) {
        const unsigned light = from[3];
        for (std::size_t c = 0; c < 3; ++c) {
            to[c] = static_cast<JSAMPLE>(light - scaled(255U - from[c], light));
        }
    }
}

/// `cmyk_row` holds one row with four samples per pixel; null unless the file is CMYK.
bool read_rows(Decoder& decoder, JSAMPLE* rgb, JSAMPLE* cmyk_row) {
    if (setjmp(decoder.failed) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_start_decompress(&decoder.info);
    const std::size_t width = decoder.info.output_width;
    while (decoder.info.output_scanline < decoder.info.output_height) {
        JSAMPLE* const rgb_row = rgb + decoder.info.output_scanline * width * 3;
        JSAMPLE* row = cmyk_row == nullptr ? rgb_row : cmyk_row;
        jpeg_read_scanlines(&decoder.info, &row, 1);
        if (cmyk_row != nullptr) cmyk_to_rgb(cmyk_row, width, rgb_row);
    }
    return true;
}

[[noreturn]] void fail(Decoder& decoder, Bytes file) {
    if (decoder.progress->is_stopped()) decoder.progress->stop();
    if (decoder.errors.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
    if (decoder.passed_end) fail_cut_short(file);
    if (decoder.errors.msg_code == JERR_ARITH_NOTIMPL) {
        fail_image("it has arithmetic coding, which this build's libjpeg leaves out");
    }
    std::array<char, JMSG_LENGTH_MAX> reason{};
    decoder.errors.format_message(reinterpret_cast<j_common_ptr>(&decoder.info), reason.data());
    fail_image(reason.data());
}

/// Frees the memory of libjpeg.
struct DecoderOwner {
    Decoder decoder;

    DecoderOwner() = default;
    DecoderOwner(const DecoderOwner&) = delete;
    DecoderOwner& operator=(const DecoderOwner&) = delete;
    ~DecoderOwner() { jpeg_destroy_decompress(&decoder.info); }
};

}  // namespace

Image decode(const JpegSegments& segments, unsigned reduction, Progress& progress) {
    const Bytes file = segments.picture;
    DecoderOwner owner;
    Decoder& decoder = owner.decoder;
    set_callbacks(decoder, file, progress);
    if (!read_header(decoder, reduction)) fail(decoder, file);
    Image image;
    image.width = decoder.info.output_width;
    image.height = decoder.info.output_height;
    image.rgb.resize(image.width * image.height * 3);
    std::vector<std::uint8_t> cmyk_row(segments.components == 4 ? image.width * 4 : 0);
    if (!read_rows(decoder, image.rgb.data(), cmyk_row.empty() ? nullptr : cmyk_row.data())) {
        fail(decoder, file);
    }
    return image;
}

}  // namespace vgg19::libjpeg
