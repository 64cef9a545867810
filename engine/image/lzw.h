// GIF's kind of LZW compression.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/image/bytes.h"
#include "engine/image/progress.h"

namespace vgg19 {

/// Unpacks palette indices from the blocks of a GIF's picture. Each code is looked at once and each index
/// written once, and nothing behind the last index that is asked for is read.
class LzwReader {
  public:
    /// The blocks begin at `offset`; an index takes `index_bits` bits (1 to 11), of which the lower 8 count.
    LzwReader(Bytes file, std::size_t offset, unsigned index_bits);

    /// Fills `out`, and returns how many indices there were: fewer only where the picture ends. Throws Error
    /// (bad_input) where the file ends or a code is invalid.
    std::size_t read(std::span<std::uint8_t> out, Progress& progress);

  private:
    static constexpr std::size_t table_size = 4096;
    static constexpr unsigned most_bits = 12;
    static constexpr unsigned none = table_size;

    bool next_code(unsigned& code);
    bool unpack_next(Progress& progress);
    void add_entry(unsigned code);
    void expand(unsigned code);

    Bytes file_;
    std::size_t offset_;
    std::size_t block_end_;
    unsigned index_bits_;
    unsigned code_bits_;
    unsigned next_entry_;
    unsigned previous_ = none;
    std::uint32_t bits_ = 0;  ///< read and not used, the next in the lowest
    unsigned bit_count_ = 0;
    /// An entry is another one with an index behind it.
    std::array<std::uint16_t, table_size> prefix_{};
    std::array<std::uint8_t, table_size> last_{};
    std::array<std::uint8_t, table_size> first_{};
    /// The last code's indices that were not asked for yet: last index first.
    std::array<std::uint8_t, table_size> pending_{};
    std::size_t pending_count_ = 0;
};

}  // namespace vgg19
