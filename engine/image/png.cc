#include "engine/image/png.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/image/exif.h"
#include "engine/image/failure.h"
#include "engine/image/inflate.h"
#include "engine/image/png_chunks.h"
#include "engine/image/png_samples.h"
#include "engine/image/sizes.h"

namespace vgg19 {
namespace {

/// One of the pictures that an interlaced picture consists of: every `column_step`th pixel of every
/// `row_step`th row.
struct Pass {
    std::size_t first_column;
    std::size_t first_row;
    std::size_t column_step;
    std::size_t row_step;

    static std::size_t count(std::size_t side, std::size_t first, std::size_t step) {
        return side > first ? (side - first + step - 1) / step : 0;
    }
    PixelSize size_of(const PixelSize& whole) const {
        return {count(whole.width, first_column, column_step), count(whole.height, first_row, row_step)};
    }
};

constexpr std::array<Pass, 1> one_pass = {{{0, 0, 1, 1}}};
constexpr std::array<Pass, 7> interlaced_passes = {
    {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};

std::span<const Pass> passes_of(const PngChunks& chunks) {
    if (chunks.is_interlaced) return interlaced_passes;
    return one_pass;
}

/// Without the byte that names the filter.
std::size_t row_bytes(const PngChunks& chunks, std::size_t pixels) {
    return (pixels * chunks.bits * samples_of(chunks.colour) + 7) / 8;
}

std::size_t unpacked_bytes(const PngChunks& chunks) {
    std::size_t bytes = 0;
    for (const Pass& pass : passes_of(chunks)) {
        const auto [width, height] = pass.size_of(chunks.size);
        if (width > 0) bytes += height * (1 + row_bytes(chunks, width));
    }
    return bytes;
}

class Decoder {
  public:
    Decoder(const PngChunks& chunks, Progress& progress)
        : chunks_(chunks),
          progress_(progress),
          colours_(chunks),
          inflater_(chunks.data, unpacked_bytes(chunks)),
          pixel_bytes_(std::max<std::size_t>(chunks.bits * samples_of(chunks.colour) / 8, 1)),
          row_(1 + row_bytes(chunks, chunks.size.width)),
          above_(row_.size()) {}

    Image decode() {
        const auto [width, height] = chunks_.size;
        Image image{std::vector<std::uint8_t>(width * height * 3), width, height};
        if (chunks_.is_interlaced) pixels_.resize(width * 3);
        for (const Pass& pass : passes_of(chunks_)) read_pass(pass, image);
        inflater_.finish();
        return image;
    }

  private:
    void read_pass(const Pass& pass, Image& image) {
        const auto [width, height] = pass.size_of(chunks_.size);
        if (width == 0) return;
        const std::size_t bytes = 1 + row_bytes(chunks_, width);
        std::fill(above_.begin(), above_.end(), std::uint8_t{0});
        for (std::size_t y = 0; y < height; ++y) {
            progress_.advance(width);
            const std::span<std::uint8_t> row = std::span(row_).first(bytes);
            inflater_.read(row);
            if (!undo_png_filter(row[0], row.subspan(1), Bytes(above_).subspan(1, bytes - 1), pixel_bytes_)) {
                fail_image("row " + std::to_string(y) + ": found filter " + std::to_string(row[0]) +
                           ", expected 0 to 4: its data are damaged");
            }
            const std::size_t image_row = pass.first_row + y * pass.row_step;
            write_row(pass, row.subspan(1), width, &image.rgb[image_row * image.width * 3]);
            row_.swap(above_);
        }
    }

    void write_row(const Pass& pass, Bytes row, std::size_t width, std::uint8_t* rgb) {
        if (pass.column_step == 1) {
            colours_.convert(row, width, rgb);
            return;
        }
        colours_.convert(row, width, pixels_.data());
        std::uint8_t* to = rgb + pass.first_column * 3;
        for (std::size_t x = 0; x < width; ++x, to += pass.column_step * 3) {
            std::copy_n(&pixels_[x * 3], 3, to);
        }
    }

    const PngChunks& chunks_;
    Progress& progress_;
    PngColours colours_;
    Inflater inflater_;
    std::size_t pixel_bytes_;
    std::vector<std::uint8_t> row_;     ///< the filter, and the row
    std::vector<std::uint8_t> above_;   ///< the same of the row above
    std::vector<std::uint8_t> pixels_;  ///< of one row of a pass
};

void check_complete(const PngChunks& chunks) {
    if (chunks.data.empty()) fail_image("no IDAT: it holds no pixels");
    if (chunks.colour == PngColour::palette && chunks.palette.empty()) {
        fail_image("no PLTE: its pixels are numbers of colours in a palette, which is missing");
    }
}

}  // namespace

Picture open_png(Bytes file, const ImageOptions& options) {
    PngChunks chunks = read_png_chunks(file);
    check_size(chunks.size, options.limits);
    check_complete(chunks);
    const std::size_t unpacked = unpacked_bytes(chunks);
    const std::size_t rows = 2 * row_bytes(chunks, chunks.size.width) + 3 * chunks.size.width;
    const std::size_t pieces = 2 * chunks.data.size() * sizeof(Bytes);
    Picture picture;
    picture.size = chunks.size;
    picture.memory_bytes =
        3 * pixels_of(chunks.size) + rows + pieces + inflater_bytes(chunks.data_bytes, unpacked);
    picture.work = pixels_of(chunks.size) + unpacked / 4 + file.size();
    picture.orientation = exif_orientation(chunks.exif, chunks.xmp);
    picture.decode = [chunks = std::move(chunks)](Progress& progress) {
        return Decoder(chunks, progress).decode();
    };
    return picture;
}

}  // namespace vgg19
