#include "engine/image/lzw.h"

#include <algorithm>
#include <string>

#include "engine/image/failure.h"

namespace vgg19 {

LzwReader::LzwReader(Bytes file, std::size_t offset, unsigned index_bits)
    : file_(file),
      offset_(offset),
      block_end_(offset),
      index_bits_(index_bits),
      code_bits_(index_bits + 1),
      next_entry_((1U << index_bits) + 2) {
    for (unsigned i = 0; i < 1U << index_bits; ++i) {
        prefix_[i] = none;
        first_[i] = last_[i] = static_cast<std::uint8_t>(i);
    }
}

/// False at the empty block that ends the data.
bool LzwReader::next_code(unsigned& code) {
    while (bit_count_ < code_bits_) {
        if (offset_ == block_end_) {
            if (offset_ >= file_.size()) fail_cut_short(file_);
            const std::size_t length = file_[offset_];
            if (length == 0) return false;
            if (length > file_.size() - offset_ - 1) fail_cut_short(file_);
            block_end_ = ++offset_ + length;
        }
        bits_ |= std::uint32_t{file_[offset_++]} << bit_count_;
        bit_count_ += 8;
    }
    code = bits_ & ((1U << code_bits_) - 1);
    bits_ >>= code_bits_;
    bit_count_ -= code_bits_;
    return true;
}

/// A new entry: the previous code's indices and the first of this one's, which may be the new entry itself.
void LzwReader::add_entry(unsigned code) {
    if (code > next_entry_ || (code == next_entry_ && (previous_ == none || next_entry_ == table_size))) {
        fail_image("offset " + std::to_string(offset_) + ": code " + std::to_string(code) +
                   " is not defined: its data are damaged");
    }
    if (previous_ == none || next_entry_ == table_size) return;
    prefix_[next_entry_] = static_cast<std::uint16_t>(previous_);
    first_[next_entry_] = first_[previous_];
    last_[next_entry_] = first_[code == next_entry_ ? previous_ : code];
    ++next_entry_;
    if (next_entry_ == 1U << code_bits_ && code_bits_ < most_bits) ++code_bits_;
}

void LzwReader::expand(unsigned code) {
    pending_count_ = 0;
    for (; code != none; code = prefix_[code]) pending_[pending_count_++] = last_[code];
}

/// False at the end of the picture.
bool LzwReader::unpack_next(Progress& progress) {
    const unsigned clear = 1U << index_bits_;
    for (unsigned code = 0; next_code(code);) {
        if (code == clear + 1) return false;
        progress.advance(1);
        if (code == clear) {
            code_bits_ = index_bits_ + 1;
            next_entry_ = clear + 2;
            previous_ = none;
            continue;
        }
        add_entry(code);
        expand(code);
        previous_ = code;
        return true;
    }
    return false;
}

std::size_t LzwReader::read(std::span<std::uint8_t> out, Progress& progress) {
    progress.advance(out.size());
    std::size_t count = 0;
    while (count < out.size()) {
        if (pending_count_ == 0 && !unpack_next(progress)) break;
        const std::size_t taken = std::min(pending_count_, out.size() - count);
        for (std::size_t i = 0; i < taken; ++i) out[count++] = pending_[--pending_count_];
    }
    return count;
}

}  // namespace vgg19
