// What a run keeps for backward(), as bytes that the caller keeps while the program runs other inputs.
#pragma once

#include <cstddef>
#include <span>

namespace vgg19 {

class Backward;

/// Of the shape for which `backward` was made.
std::size_t record_bytes(const Backward& backward);
/// Writes record_bytes() bytes: what is needed to recognise the record, then what the links recorded.
void copy_record(const Backward& backward, std::span<std::byte> record);
/// Throws Error (bad_input) for a record of another program or shape, and changes nothing then. The record's
/// length is record_bytes().
void set_record(Backward& backward, std::span<const std::byte> record);

}  // namespace vgg19
