#include "engine/image/pnm.h"

#include <algorithm>
#include <string>

#include "engine/image/failure.h"
#include "engine/image/sizes.h"

namespace vgg19 {
namespace {

[[noreturn]] void fail(std::size_t offset, const std::string& what) {
    fail_image("offset " + std::to_string(offset) + ": " + what);
}

bool is_space(std::uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct PnmHeader {
    std::size_t channels = 0;  ///< 1 or 3
    PixelSize size;
    std::size_t largest = 0;  ///< sample, 1 to 65535; above 255 a sample takes two bytes, high byte first
    std::size_t pixels_offset = 0;  ///< in the file

    std::size_t sample_bytes() const { return largest > 255 ? 2 : 1; }
    std::size_t row_bytes() const { return size.width * channels * sample_bytes(); }
};

/// Reads the header's numbers, separated by white space and comments.
class HeaderReader {
  public:
    explicit HeaderReader(Bytes file) : file_(file) {}

    std::size_t number(const std::string& field) {
        skip_space();
        const std::size_t start = offset_;
        constexpr std::size_t largest = 100'000'000;  // nine digits, far above every limit
        std::size_t value = 0;
        while (offset_ < file_.size() && file_[offset_] >= '0' && file_[offset_] <= '9' && value < largest) {
            value = value * 10 + file_[offset_++] - '0';
        }
        const bool ends_well = offset_ < file_.size() && is_space(file_[offset_]);
        if (value == 0 || !ends_well) fail(start, "expected the " + field + ", a positive number");
        return value;
    }
    /// Exactly one byte of white space ends the header.
    std::size_t end() const { return offset_ + 1; }

  private:
    void skip_space() {
        bool in_comment = false;
        for (; offset_ < file_.size(); ++offset_) {
            const std::uint8_t byte = file_[offset_];
            if (byte == '#') in_comment = true;
            if (!in_comment && !is_space(byte)) return;
            if (byte == '\n' || byte == '\r') in_comment = false;
        }
    }

    Bytes file_;
    std::size_t offset_ = 2;  // after "P5" or "P6"
};

PnmHeader read_header(Bytes file) {
    HeaderReader reader(file);
    PnmHeader header;
    header.channels = file[1] == '6' ? 3 : 1;
    header.size.width = reader.number("width");
    header.size.height = reader.number("height");
    header.largest = reader.number("largest sample");
    header.pixels_offset = reader.end();
    if (header.largest > 65535) {
        fail(header.pixels_offset,
             "expected a largest sample of at most 65535, found " + std::to_string(header.largest));
    }
    return header;
}

void check_length(Bytes file, const PnmHeader& header) {
    const std::size_t expected = header.row_bytes() * header.size.height;
    const std::size_t found = file.size() - header.pixels_offset;
    if (found >= expected) return;
    fail(header.pixels_offset, "expected " + std::to_string(expected) + " bytes of pixels, found " +
                                   std::to_string(found) + ": the file is cut short");
}

/// `offset` is the row's in the file.
void read_row(Bytes file, std::size_t offset, const PnmHeader& header, std::uint8_t* rgb) {
    const std::size_t sample_bytes = header.sample_bytes();
    const std::size_t copies = header.channels == 1 ? 3 : 1;
    for (std::size_t i = 0; i < header.size.width * header.channels; ++i, offset += sample_bytes) {
        const std::size_t sample = big_endian(file, offset, sample_bytes);
        if (sample > header.largest) {
            fail(offset, "expected a sample of at most " + std::to_string(header.largest) + ", found " +
                             std::to_string(sample));
        }
        const std::size_t scaled = (sample * 255 + header.largest / 2) / header.largest;
        rgb = std::fill_n(rgb, copies, static_cast<std::uint8_t>(scaled));
    }
}

Image decode(Bytes file, const PnmHeader& header, Progress& progress) {
    Image image{{}, header.size.width, header.size.height};
    image.rgb.resize(pixels_of(header.size) * 3);
    for (std::size_t y = 0; y < image.height; ++y) {
        progress.advance(image.width);
        read_row(file, header.pixels_offset + y * header.row_bytes(), header,
                 &image.rgb[y * image.width * 3]);
    }
    return image;
}

}  // namespace

Picture open_pnm(Bytes file, const ImageOptions& options) {
    const PnmHeader header = read_header(file);
    check_size(header.size, options.limits);
    check_length(file, header);
    Picture picture;
    picture.size = header.size;
    picture.memory_bytes = 3 * pixels_of(header.size);
    picture.work = pixels_of(header.size);
    picture.decode = [file, header](Progress& progress) { return decode(file, header, progress); };
    return picture;
}

}  // namespace vgg19
