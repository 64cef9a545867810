#include "engine/image/bmp.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/image/bmp_header.h"
#include "engine/image/failure.h"
#include "engine/image/over_white.h"
#include "engine/image/sizes.h"

namespace vgg19 {
namespace {

/// Rows are stored from the bottom up, unless the header says top-down.
std::uint8_t* row_of(Image& image, const BmpHeader& header, std::size_t stored_row) {
    const std::size_t row = header.from_top ? stored_row : image.height - 1 - stored_row;
    return image.rgb.data() + row * image.width * 3;
}

void read_indices(Bytes row, const BmpHeader& header, std::uint8_t* rgb) {
    const unsigned in_a_byte = 8 / header.bits;
    const unsigned last = (1U << header.bits) - 1;
    for (std::size_t x = 0; x < header.size.width; ++x, rgb += 3) {
        const auto place = static_cast<unsigned>(in_a_byte - 1 -
                                                 x % in_a_byte);  // the leftmost pixel is in the highest bits
        const unsigned byte = row[x / in_a_byte];
        const unsigned index = byte >> (place * header.bits) & last;
        std::copy_n(header.palette[index].begin(), 3, rgb);
    }
}

void read_bgr(Bytes row, std::size_t width, std::uint8_t* rgb) {
    for (std::size_t x = 0; x < width; ++x, rgb += 3) {
        rgb[0] = row[x * 3 + 2];
        rgb[1] = row[x * 3 + 1];
        rgb[2] = row[x * 3];
    }
}

/// One channel of a 16-bit or 32-bit pixel.
class Channel {
  public:
    explicit Channel(std::uint32_t mask)
        : mask_(mask),
          shift_(mask == 0 ? 0 : static_cast<unsigned>(std::countr_zero(mask))),
          most_(mask == 0 ? 1 : mask >> shift_) {}

    bool exists() const { return mask_ != 0; }
    unsigned of(std::uint32_t pixel) const {
        return static_cast<unsigned>(std::uint64_t{(pixel & mask_) >> shift_} * 255 / most_);
    }

  private:
    std::uint32_t mask_;
    unsigned shift_;
    std::uint32_t most_;
};

/// Some programs write an alpha mask but leave every alpha at 0; they mean an opaque picture.
bool any_alpha(Bytes pixels, const BmpHeader& header, std::size_t row_bytes) {
    const Channel alpha(header.masks[3]);
    if (!alpha.exists()) return false;
    const std::size_t pixel_bytes = header.bits / 8;
    for (std::size_t y = 0; y < header.size.height; ++y) {
        for (std::size_t x = 0; x < header.size.width; ++x) {
            const std::size_t offset = y * row_bytes + x * pixel_bytes;
            if (alpha.of(little_endian(pixels, offset, pixel_bytes)) != 0) return true;
        }
    }
    return false;
}

void read_masked(Bytes row, const BmpHeader& header, bool has_alpha, std::uint8_t* rgb) {
    const std::array<Channel, 3> channels = {Channel(header.masks[0]), Channel(header.masks[1]),
                                             Channel(header.masks[2])};
    const Channel alpha(header.masks[3]);
    const std::size_t pixel_bytes = header.bits / 8;
    for (std::size_t x = 0; x < header.size.width; ++x, rgb += 3) {
        const std::uint32_t pixel = little_endian(row, x * pixel_bytes, pixel_bytes);
        const unsigned opacity = has_alpha ? alpha.of(pixel) : 255;
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = over_white(channels[c].of(pixel), opacity);
    }
}

void read_rows(Bytes file, const BmpHeader& header, Image& image, Progress& progress) {
    const std::size_t used_bytes = (image.width * header.bits + 7) / 8;
    const std::size_t row_bytes = (used_bytes + 3) / 4 * 4;
    // The last row may lack its padding.
    const std::size_t expected = row_bytes * (image.height - 1) + used_bytes;
    if (header.pixels_offset > file.size() || file.size() - header.pixels_offset < expected) {
        fail_cut_short(file);
    }
    image.rgb.resize(image.width * image.height * 3);
    const Bytes pixels = file.subspan(header.pixels_offset);
    const bool has_alpha = any_alpha(pixels, header, row_bytes);
    for (std::size_t y = 0; y < image.height; ++y) {
        progress.advance(image.width);
        const Bytes row = pixels.subspan(y * row_bytes, used_bytes);
        std::uint8_t* const rgb = row_of(image, header, y);
        if (header.bits <= 8) {
            read_indices(row, header, rgb);
        } else if (header.bits == 24) {
            read_bgr(row, image.width, rgb);
        } else {
            read_masked(row, header, has_alpha, rgb);
        }
    }
}

/// A sequence of (length, index) pairs. Length 0 is an escape, followed by a code: end of row, end of
/// picture, a move, or a count of literal indices, padded to a multiple of 16 bits.
class RunLengths {
  public:
    RunLengths(Bytes file, const BmpHeader& header, Image& image, Progress& progress)
        : file_(file), header_(header), image_(image), progress_(progress), offset_(header.pixels_offset) {}

    void read() {
        while (y_ < image_.height) {
            // After the last pixel the stream may end without an end-of-picture code.
            if (at_end() && y_ + 1 == image_.height && x_ == image_.width) return;
            const std::uint8_t length = next();
            const std::uint8_t value = next();
            progress_.advance(1 + length);
            if (length > 0) {
                // Pixels beyond the end of a row are dropped: not one by one, which a file could ask for
                // often.
                const std::size_t room = x_ < image_.width ? image_.width - x_ : 0;
                for (std::size_t i = 0; i < std::min<std::size_t>(length, room); ++i) put(index_in(value, i));
            } else if (value == 0) {
                end_row();
            } else if (value == 1) {
                return;
            } else if (value == 2) {
                x_ += next();
                y_ += next();
            } else {
                copy(value);
            }
        }
    }

  private:
    bool at_end() const { return offset_ >= file_.size(); }
    std::uint8_t next() {
        if (at_end()) fail_cut_short(file_);
        return file_[offset_++];
    }
    /// With 4 bits per pixel a byte holds two pixels, the first in the upper half.
    std::size_t index_in(std::uint8_t value, std::size_t i) const {
        if (header_.bits == 8) return value;
        return i % 2 == 0 ? value / 16U : value % 16U;
    }
    void copy(std::size_t count) {
        const std::size_t bytes = header_.bits == 8 ? count : (count + 1) / 2;
        std::uint8_t value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (header_.bits == 8 || i % 2 == 0) value = next();
            put(index_in(value, i));
        }
        if (bytes % 2 == 1) next();
    }
    /// Pixels beyond the end of a row are dropped.
    void put(std::size_t index) {
        if (x_ >= image_.width) return;
        std::copy_n(header_.palette[index].begin(), 3, row_of(image_, header_, y_) + 3 * x_);
        ++x_;
    }
    void end_row() {
        x_ = 0;
        ++y_;
    }

    Bytes file_;
    const BmpHeader& header_;
    Image& image_;
    Progress& progress_;
    std::size_t offset_;
    std::size_t x_ = 0;
    std::size_t y_ = 0;  ///< as stored
};

Image decode(Bytes file, const BmpHeader& header, Progress& progress) {
    if (header.coding == BmpCoding::rows) {
        Image image{{}, header.size.width, header.size.height};
        read_rows(file, header, image, progress);
        return image;
    }
    Image image = filled(header.size, header.palette[0]);
    RunLengths(file, header, image, progress).read();
    return image;
}

}  // namespace

Picture open_bmp(Bytes file, const ImageOptions& options) {
    BmpHeader header = read_bmp_header(file);
    check_size(header.size, options.limits);
    Picture picture;
    picture.size = header.size;
    picture.memory_bytes = 3 * pixels_of(header.size);
    picture.work = pixels_of(header.size) + file.size();
    picture.decode = [file, header = std::move(header)](Progress& progress) {
        return decode(file, header, progress);
    };
    return picture;
}

}  // namespace vgg19
