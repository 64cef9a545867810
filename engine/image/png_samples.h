// From the filtered bytes of a PNG's rows to colours.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/image/colour.h"
#include "engine/image/png_chunks.h"

namespace vgg19 {

/// Undoes the filter of a row (ISO/IEC 15948, section 9). `above` is the row above, not filtered, of the same
/// length; `pixel_bytes` is the distance to the sample on the left, at least 1. False if there is no such
/// filter.
bool undo_png_filter(unsigned filter, std::span<std::uint8_t> row, Bytes above, std::size_t pixel_bytes);

/// Turns rows into red, green and blue, 8 bits each.
class PngColours {
  public:
    explicit PngColours(const PngChunks& chunks);

    /// `pixels` pixels from the bytes of a row, which hold them.
    void convert(Bytes row, std::size_t pixels, std::uint8_t* rgb) const;

  private:
    void convert_few_bits(Bytes row, std::size_t pixels, std::uint8_t* rgb) const;
    void convert_samples(Bytes row, std::size_t pixels, std::uint8_t* rgb) const;
    bool is_transparent(const std::uint8_t* pixel) const;

    unsigned bits_;
    unsigned samples_;
    bool has_alpha_;
    std::vector<Colour> table_;           ///< of rows with one sample of at most 8 bits
    std::array<std::uint16_t, 3> key_{};  ///< the transparent colour, where there is one
    bool has_key_ = false;
};

}  // namespace vgg19
