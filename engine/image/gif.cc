#include "engine/image/gif.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/image/colour.h"
#include "engine/image/failure.h"
#include "engine/image/lzw.h"
#include "engine/image/sizes.h"

namespace vgg19 {
namespace {

constexpr Colour white = {255, 255, 255};

/// What comes before the pixels.
struct GifHeader {
    PixelSize canvas;
    Colour background = white;
    Bytes global_colours;  ///< red, green and blue of each
    Bytes local_colours;
    PixelSize size;  ///< of the picture on the canvas
    std::size_t left = 0;
    std::size_t top = 0;
    bool is_interlaced = false;
    std::optional<unsigned> transparent;  ///< the index that means it
    unsigned code_bits = 0;               ///< of a pixel's code in the data
    std::size_t data_offset = 0;
};

/// Reads the header from front to back; throws where the file ends.
class Reader {
  public:
    explicit Reader(Bytes file) : file_(file) {}

    std::size_t offset() const { return offset_; }
    std::uint8_t byte() { return take(1)[0]; }
    unsigned short_number() { return little_endian(take(2), 0, 2); }
    Bytes take(std::size_t count) {
        if (count > file_.size() - offset_) fail_cut_short(file_);
        offset_ += count;
        return file_.subspan(offset_ - count, count);
    }
    /// A colour table, if these flags say that there is one.
    Bytes colours(unsigned flags) { return flags < 0x80 ? Bytes() : take(std::size_t{6} << flags % 8U); }
    void skip_blocks() {
        while (const std::size_t length = byte()) take(length);
    }

  private:
    Bytes file_;
    std::size_t offset_ = 0;
};

/// An extension that belongs to the picture after it.
void read_graphic_control(Reader& reader, GifHeader& header) {
    constexpr std::size_t length = 4;
    const std::size_t found = reader.byte();
    const Bytes fields = reader.take(found);
    if (found == length) {
        const bool has_transparent = fields[0] % 2U == 1;
        header.transparent = has_transparent ? std::optional<unsigned>(fields[3]) : std::nullopt;
    }
    if (found > 0) reader.skip_blocks();
}

void read_picture_header(Reader& reader, GifHeader& header) {
    constexpr unsigned interlaced = 0x40;
    constexpr unsigned most_code_bits = 11;
    header.left = reader.short_number();
    header.top = reader.short_number();
    header.size.width = reader.short_number();
    header.size.height = reader.short_number();
    const unsigned flags = reader.byte();
    header.is_interlaced = (flags & interlaced) != 0;
    header.local_colours = reader.colours(flags);
    header.code_bits = reader.byte();
    header.data_offset = reader.offset();
    const auto& [canvas_width, canvas_height] = header.canvas;
    if (header.left + header.size.width > canvas_width || header.top + header.size.height > canvas_height) {
        fail_image("its picture does not lie inside its canvas of " + std::to_string(canvas_width) + "×" +
                   std::to_string(canvas_height) + " pixels");
    }
    if (header.local_colours.empty() && header.global_colours.empty()) fail_image("it has no colour table");
    if (header.code_bits == 0 || header.code_bits > most_code_bits) {
        fail_image("expected codes of 1 to " + std::to_string(most_code_bits) +
                   " bits for its pixels, found " + std::to_string(header.code_bits));
    }
}

void read_canvas(Reader& reader, GifHeader& header) {
    header.canvas.width = reader.short_number();
    header.canvas.height = reader.short_number();
    const unsigned flags = reader.byte();
    const std::size_t background = reader.byte();
    reader.byte();  // the shape of a pixel
    header.global_colours = reader.colours(flags);
    if (background == 0 || 3 * background >= header.global_colours.size()) return;
    std::copy_n(&header.global_colours[3 * background], 3, header.background.begin());
}

GifHeader read_header(Bytes file) {
    constexpr unsigned extension = 0x21;
    constexpr unsigned graphic_control = 0xF9;
    constexpr unsigned picture = 0x2C;
    constexpr unsigned end = 0x3B;
    Reader reader(file);
    reader.take(6);  // "GIF89a"
    GifHeader header;
    read_canvas(reader, header);
    while (true) {
        const std::size_t offset = reader.offset();
        const unsigned block = reader.byte();
        if (block == picture) {
            read_picture_header(reader, header);
            return header;
        }
        if (block == end) fail_image("it holds no picture");
        if (block != extension) {
            fail_image("block at offset " + std::to_string(offset) +
                       ": expected a picture, an extension or the end, found one of type " +
                       std::to_string(block));
        }
        if (reader.byte() == graphic_control) {
            read_graphic_control(reader, header);
        } else {
            reader.skip_blocks();
        }
    }
}

/// The rows of an interlaced picture come as every eighth from row 0, every eighth from row 4, every fourth
/// from row 2, every second from row 1.
std::vector<std::size_t> row_order(std::size_t height, bool is_interlaced) {
    struct Group {
        std::size_t first;
        std::size_t step;
    };
    constexpr std::array<Group, 4> groups = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    constexpr std::array<Group, 1> all = {{{0, 1}}};
    std::vector<std::size_t> rows;
    rows.reserve(height);
    for (const Group& group : is_interlaced ? std::span<const Group>(groups) : std::span<const Group>(all)) {
        for (std::size_t row = group.first; row < height; row += group.step) rows.push_back(row);
    }
    return rows;
}

std::array<Colour, 256> colours_of(const GifHeader& header) {
    std::array<Colour, 256> colours{};
    const Bytes table = header.local_colours.empty() ? header.global_colours : header.local_colours;
    for (std::size_t i = 0; 3 * i < table.size(); ++i) std::copy_n(&table[3 * i], 3, colours[i].begin());
    if (header.transparent) colours[*header.transparent] = white;
    return colours;
}

Image decode(Bytes file, const GifHeader& header, Progress& progress) {
    Image image = filled(header.canvas, header.background);
    const std::array<Colour, 256> colours = colours_of(header);
    LzwReader indices(file, header.data_offset, header.code_bits);
    std::vector<std::uint8_t> row(header.size.width);
    for (const std::size_t y : row_order(header.size.height, header.is_interlaced)) {
        const std::size_t count = indices.read(row, progress);
        // Of a picture without width this may be the end.
        std::uint8_t* to = image.rgb.data() + ((header.top + y) * image.width + header.left) * 3;
        for (const std::uint8_t index : std::span(row).first(count)) {
            to = std::copy_n(colours[index].begin(), 3, to);
        }
        if (count < row.size()) break;
    }
    return image;
}

}  // namespace

Picture open_gif(Bytes file, const ImageOptions& options) {
    GifHeader header = read_header(file);
    check_size(header.canvas, options.limits);
    Picture picture;
    picture.size = header.canvas;
    picture.memory_bytes = 3 * pixels_of(header.canvas) + header.size.width +
                           header.size.height * sizeof(std::size_t) + sizeof(LzwReader);
    picture.work = pixels_of(header.canvas) + file.size();
    picture.decode = [file, header](Progress& progress) { return decode(file, header, progress); };
    return picture;
}

}  // namespace vgg19
