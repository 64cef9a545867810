#include "engine/image/pnm.h"

#include <string>

#include "vgg19/error.h"

namespace vgg19 {
namespace {

[[noreturn]] void fail(std::size_t offset, const std::string& what) {
    throw Error(ErrorKind::bad_input, "offset " + std::to_string(offset) + ": " + what);
}

bool is_space(std::uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

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

}  // namespace

PnmHeader read_pnm_header(Bytes file) {
    HeaderReader reader(file);
    PnmHeader header;
    header.channels = file[1] == '6' ? 3 : 1;
    header.width = reader.number("width");
    header.height = reader.number("height");
    header.max_value = reader.number("largest sample");
    header.pixels_offset = reader.end();
    if (header.max_value > 65535) {
        fail(header.pixels_offset,
             "expected a largest sample of at most 65535, found " + std::to_string(header.max_value));
    }
    return header;
}

Image decode_pnm(Bytes file, const PnmHeader& header) {
    const std::size_t sample_bytes = header.max_value > 255 ? 2 : 1;
    const std::size_t pixels = header.width * header.height;
    const std::size_t expected = pixels * header.channels * sample_bytes;
    const std::size_t found = file.size() - header.pixels_offset;
    if (found < expected) {
        fail(header.pixels_offset, "expected " + std::to_string(expected) + " bytes of pixels, found " +
                                       std::to_string(found) + ": the file is cut short");
    }

    Image image{{}, header.width, header.height};
    image.rgb.reserve(pixels * 3);
    const std::size_t copies = header.channels == 1 ? 3 : 1;
    for (std::size_t i = 0; i < pixels * header.channels; ++i) {
        const std::size_t offset = header.pixels_offset + i * sample_bytes;
        const std::size_t sample = big_endian(file, offset, sample_bytes);
        if (sample > header.max_value) {
            fail(offset, "expected a sample of at most " + std::to_string(header.max_value) + ", found " +
                             std::to_string(sample));
        }
        const std::size_t scaled = (sample * 255 + header.max_value / 2) / header.max_value;
        image.rgb.insert(image.rgb.end(), copies, static_cast<std::uint8_t>(scaled));
    }
    return image;
}

}  // namespace vgg19
